/* A PKCS#11 module over another one (OVER, set by the compiler) that takes things away.

   What it takes away stands in the file that QUORATE_SHIM names, as words. The file is read at each
   call, so a test changes the token under a running process:

     hide=0x1087   the mechanism is not listed and refused     stalled      calls wait for the word to go
     break=0x1087  the mechanism is listed and refused         gone         the token is pulled out
     iv-appended   GCM with the token's IV after the tag       slow=20      each call takes 20 ms longer
     iv-written    GCM with the token's IV, written back       sessions=1   so many sessions at most
     no-data       no data objects                             tries=3      so many PIN tries
     objects=1024  no larger value of an object                quiet        tries are not reported
     read-only     no session that writes                      no-reauth    ALWAYS_AUTHENTICATE is stored only
     shared-login  a session of another process is logged in already, and takes any PIN
     no-end         the module does not finalise: its sessions stay
     iv-constant, iv-zero  the token's IV is the same each time
     nothing-public  what is public is not found before login
     calls=1024    no more bytes in a call                     down         the module's daemon is away: it
                                                                must be initialised again afterwards

   All functions have one form here: eight words in, one out. In the calling conventions of Linux and
   macOS a callee ignores arguments that it does not have. One caller at a time, as everywhere here. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long U;
typedef U (*Call)(U, U, U, U, U, U, U, U);
typedef struct { U type; void *value; U size; } Attribute;
typedef struct { U type; void *parameter; U size; } Mechanism;
typedef struct { unsigned char *iv; U size, bits; unsigned char *aad; U aad_size, tag_bits; } Gcm;
typedef struct { unsigned char major, minor; void *call[68]; } List;

enum { /* Places in the function list (PKCS#11 2.40). */
  INITIALIZE, FINALIZE, GET_LIST = 3, GET_SLOTS, TOKEN_INFO = 6, MECHANISMS, MECHANISM_INFO, OPEN = 12, CLOSE,
  CLOSE_ALL, SESSION_INFO, LOGIN = 18, CREATE = 20, GET_VALUE = 24, FIND_INIT = 26, ENCRYPT_INIT = 29, ENCRYPT = 30,
  DECRYPT_INIT = 33, DECRYPT, DIGEST_INIT = 37, SIGN_INIT = 42, SIGN, VERIFY_INIT = 48, GENERATE = 58,
  GENERATE_PAIR, WRAP, UNWRAP, DERIVE
};
enum { GCM = 0x1087, IV = 12, MOST_MECHANISMS = 1024 };

static List *real;
static char words[4096];
static U opened;
static unsigned char own_iv[IV];
static int appending, was_gone, was_down, must_start;
static U calls[68];

static const char *find(const char *word) {
  size_t size = strlen(word);
  for (const char *at = strstr(words, word); at; at = strstr(at + size, word))
    if (at[-1] == ' ' && (word[size - 1] == '=' || at[size] == ' ')) return at + size;
  return NULL;
}

static U number(const char *word, U otherwise) {
  const char *at = find(word);
  return at ? strtoul(at, NULL, 0) : otherwise;
}

static void read_words(void) {
  const char *path = getenv("QUORATE_SHIM");
  FILE *file = path ? fopen(path, "r") : NULL;
  memset(words, 0, sizeof words);
  words[0] = ' ';
  if (file) {
    size_t size = fread(words + 1, 1, sizeof words - 3, file);
    fclose(file);
    words[size + 1] = ' ';
  }
}

static int named(const char *list, U mechanism) {
  char word[64];
  snprintf(word, sizeof word, "%s=0x%lx", list, mechanism);
  return find(word) != NULL;
}

/* Wrong PINs in a row; kept in a file, as a token keeps them when its process ends. */
static U wrong_pins(long set) {
  char path[4096];
  U count = 0;
  snprintf(path, sizeof path, "%s.tries", getenv("QUORATE_SHIM"));
  FILE *file = fopen(path, set < 0 ? "r" : "w");
  if (!file) return 0;
  if (set >= 0) fprintf(file, "%ld", set);
  else if (fscanf(file, "%lu", &count) != 1) count = 0;
  fclose(file);
  return count;
}

static U pass(int n, U a, U b, U c, U d, U e, U f, U g, U h) {
  return ((Call)real->call[n])(a, b, c, d, e, f, g, h);
}

static U token_info(U slot, U info) {
  U result = pass(TOKEN_INFO, slot, info, 0, 0, 0, 0, 0, 0);
  U *flags = (U *)((char *)info + 96), most = number("tries=", 0), wrong = wrong_pins(-1);
  if (find("read-only")) *flags |= 0x2;
  if (most) *flags &= ~0x70000UL;
  if (most && !find("quiet"))
    *flags |= wrong >= most ? 0x40000 : (wrong ? 0x10000 : 0) | (wrong + 1 == most ? 0x20000 : 0);
  return result;
}

static U mechanisms(U slot, U *out, U *count) {
  U all[MOST_MECHANISMS], size = MOST_MECHANISMS, kept = 0;
  U result = pass(MECHANISMS, slot, (U)all, (U)&size, 0, 0, 0, 0, 0);
  if (result) return result;
  for (U at = 0; at < size; at++)
    if (!named("hide", all[at])) all[kept++] = all[at];
  if (out && *count < kept) result = 0x150;
  else if (out) memcpy(out, all, kept * sizeof(U));
  *count = kept;
  return result;
}

/* The first process that uses this file of words has the login; others find it there. */
static int owns_login(void) {
  char path[4096];
  int owner = 0;
  snprintf(path, sizeof path, "%s.owner", getenv("QUORATE_SHIM"));
  FILE *file = fopen(path, "r");
  if (!file) {
    file = fopen(path, "w");
    if (file) fprintf(file, "%d", (int)getpid()), fclose(file);
    return 1;
  }
  if (fscanf(file, "%d", &owner) != 1) owner = 0;
  fclose(file);
  return owner == (int)getpid();
}

static U login(U session, U user, U pin, U size) {
  U most = number("tries=", 0), wrong = wrong_pins(-1);
  if (find("shared-login") && !owns_login()) return 0;
  if (!most || user == 0) return pass(LOGIN, session, user, pin, size, 0, 0, 0, 0);
  if (wrong >= most) return 0xA4;
  U result = pass(LOGIN, session, user, pin, size, 0, 0, 0, 0);
  if (result == 0 || result == 0xA0) wrong_pins(result ? (long)wrong + 1 : 0);
  return result;
}

/* Of a session: state 3 is that of a user. */
static U session_info(U session, U *info) {
  U result = pass(SESSION_INFO, session, (U)info, 0, 0, 0, 0, 0, 0);
  if (find("shared-login") && !owns_login() && result == 0) info[1] = 3;
  return result;
}

/* Before login, of states 0 and 2, a search is for what does not exist. */
static U find_init(U session, U wanted, U count) {
  U info[4] = {0, 1, 0, 0};
  Attribute none = {3, "there is no such object", 23};
  if (find("nothing-public")) pass(SESSION_INFO, session, (U)info, 0, 0, 0, 0, 0, 0);
  if (info[1] % 2 == 0) wanted = (U)&none, count = 1;
  return pass(FIND_INIT, session, wanted, count, 0, 0, 0, 0, 0);
}

static U create(U session, Attribute *made, U count, U handle) {
  for (U at = 0; at < count; at++) {
    if (made[at].type == 0 && *(U *)made[at].value == 0 && find("no-data")) return 0x13;
    if (made[at].type == 0x11 && made[at].size > number("objects=", ~0UL)) return 0x31;
  }
  return pass(CREATE, session, (U)made, count, handle, 0, 0, 0, 0);
}

static U encrypt_init(U session, Mechanism *how, U key) {
  Gcm mine;
  Mechanism with = {GCM, &mine, sizeof mine};
  int written = find("iv-written") != NULL;
  appending = find("iv-appended") != NULL && how->type == GCM;
  if (how->type != GCM || (!written && !appending))
    return pass(ENCRYPT_INIT, session, (U)how, key, 0, 0, 0, 0, 0);
  mine = *(Gcm *)how->parameter;
  for (U at = 0; written && at < mine.size; at++)
    if (mine.iv[at]) return 0x71;
  FILE *source = fopen("/dev/urandom", "r");
  if (!source || fread(own_iv, 1, IV, source) != IV) abort();
  fclose(source);
  if (find("iv-constant") || find("iv-zero")) memset(own_iv, find("iv-zero") ? 0 : 7, IV);
  if (written) memcpy(mine.iv, own_iv, IV);
  mine.iv = own_iv;
  return pass(ENCRYPT_INIT, session, (U)&with, key, 0, 0, 0, 0, 0);
}

static U encrypt(U session, U data, U size, U out, U *count) {
  U room = *count;
  if (appending && out) *count = room - IV;
  U result = pass(ENCRYPT, session, data, size, out, (U)count, 0, 0, 0);
  if (result || !appending) return result;
  if (out) memcpy((char *)out + *count, own_iv, IV);
  *count += IV;
  return 0;
}

static U generate_pair(U s, U how, U public, U publics, U private, U privates, U g, U h) {
  static unsigned char no = 0;
  Attribute changed[64]; /* A copy: the caller frees what its own attributes point to. */
  if (find("no-reauth") && privates <= 64) {
    memcpy(changed, (void *)private, privates * sizeof(Attribute));
    for (U at = 0; at < privates; at++)
      if (changed[at].type == 0x202) changed[at].value = &no;
    private = (U)changed;
  }
  return pass(GENERATE_PAIR, s, how, public, publics, private, privates, g, h);
}

static U values(U session, U object, Attribute *asked, U count) {
  U result = pass(GET_VALUE, session, object, (U)asked, count, 0, 0, 0, 0);
  for (U at = 0; at < count && find("no-reauth"); at++)
    if (asked[at].type == 0x202 && asked[at].value) *(unsigned char *)asked[at].value = 1;
  return result;
}

/* A token that is pulled out takes its sessions along: they do not come back with it. */
static void end_sessions(void) {
  /* One process of the tests may make hundreds of tokens. */
  static U slots[4096];
  U count = 4096;
  if (pass(GET_SLOTS, 1, (U)slots, (U)&count, 0, 0, 0, 0, 0)) abort();
  for (U at = 0; at < count; at++) pass(CLOSE_ALL, slots[at], 0, 0, 0, 0, 0, 0, 0);
}

static U call(int n, U a, U b, U c, U d, U e, U f, U g, U h) {
  U result;
  for (read_words(); find("stalled"); read_words()) usleep(5000);
  usleep((useconds_t)(1000 * number("slow=", 0)));
  calls[n]++;
  if (find("shared-login")) owns_login();
  int gone = find("gone") != NULL, down = find("down") != NULL;
  if (down && !was_down) pass(FINALIZE, 0, 0, 0, 0, 0, 0, 0, 0), must_start = 1;
  was_down = down;
  if (down) return 0x30;
  if (n == FINALIZE && find("no-end")) return 0x6;
  if (n == INITIALIZE) must_start = 0;
  if (must_start) return 0x190;
  if (gone && !was_gone) end_sessions();
  was_gone = gone;
  if (gone && n == GET_SLOTS) return *(U *)c = 0;
  if (gone && n > GET_SLOTS) return n == TOKEN_INFO ? 0xE0 : 0x32;
  switch (n) {
    case TOKEN_INFO: return token_info(a, b);
    case MECHANISMS: return mechanisms(a, (U *)b, (U *)c);
    case MECHANISM_INFO: if (named("hide", b)) return 0x70; break;
    case LOGIN: return login(a, b, c, d);
    case SESSION_INFO: return session_info(a, (U *)b);
    case FIND_INIT: return find_init(a, b, c);
    case CREATE: return create(a, (Attribute *)b, c, d);
    case GET_VALUE: return values(a, b, (Attribute *)c, d);
    case ENCRYPT: case DECRYPT: case SIGN:
      if (c > number("calls=", ~0UL)) return 0x21;
      if (n == ENCRYPT) return encrypt(a, b, c, d, (U *)e);
      break;
    case OPEN:
      if (b & 2 && find("read-only")) return 0xE2;
      if (opened >= number("sessions=", ~0UL)) return 0xB1;
      result = pass(n, a, b, c, d, e, f, g, h);
      opened += result == 0;
      return result;
    case CLOSE: opened -= opened > 0; break;
    case CLOSE_ALL: case FINALIZE: opened = 0; break;
    case ENCRYPT_INIT: case DECRYPT_INIT: case DIGEST_INIT: case SIGN_INIT: case VERIFY_INIT:
    case GENERATE: case GENERATE_PAIR: case WRAP: case UNWRAP: case DERIVE:
      if (named("hide", ((Mechanism *)b)->type) || named("break", ((Mechanism *)b)->type)) return 0x70;
      if (n == ENCRYPT_INIT) return encrypt_init(a, (Mechanism *)b, c);
      if (n == GENERATE_PAIR) return generate_pair(a, b, c, d, e, f, g, h);
  }
  return pass(n, a, b, c, d, e, f, g, h);
}

#define EACH(X) \
  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) \
  X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32) X(33) \
  X(34) X(35) X(36) X(37) X(38) X(39) X(40) X(41) X(42) X(43) X(44) X(45) X(46) X(47) X(48) X(49) \
  X(50) X(51) X(52) X(53) X(54) X(55) X(56) X(57) X(58) X(59) X(60) X(61) X(62) X(63) X(64) X(65) \
  X(66) X(67)
#define FUNCTION(n) \
  static U call_##n(U a, U b, U c, U d, U e, U f, U g, U h) { return call(n, a, b, c, d, e, f, g, h); }
#define PLACE(n) (void *)call_##n,
EACH(FUNCTION)
static List ours = {2, 40, {EACH(PLACE)}};

static int load(void) {
  void *module = real ? NULL : dlopen(OVER, RTLD_NOW | RTLD_LOCAL);
  U (*get)(List **) = module ? (U (*)(List **))dlsym(module, "C_GetFunctionList") : NULL;
  if (!real && (!get || get(&real))) return 0;
  return 1;
}

U C_GetFunctionList(List **out) {
  if (!load()) return 0x30;
  ours.call[GET_LIST] = (void *)C_GetFunctionList;
  *out = &ours;
  return 0;
}

/* How many calls of a function were made so far; of all, with 68. */
U quorate_calls(U n) {
  U sum = 0;
  for (U at = 0; at < 68; at++) sum += n == 68 || n == at ? calls[at] : 0;
  return sum;
}
