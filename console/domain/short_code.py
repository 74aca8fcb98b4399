"""Short codes that people compare by voice: six words and a group of four, from a digest.

Six words of a 256-word list carry 48 bits, the group 20 more. An attacker who tries 2^40 inputs
within a ceremony still fails. The full digests are signed as well.
"""

_WORDS = (  # noqa: SIM905 - 256 words read better as text
    "acid actor album alpha amber anchor angle apple apron arch arrow aspen atlas attic autumn "
    "badge bagel baker bamboo banjo barley basin beach beacon beetle bench berry birch bison "
    "blanket blossom boat bonfire book bottle boulder bracket branch bread bridge bronze brush "
    "bucket buffalo button cabin cactus camel candle canoe canyon carbon cargo carpet castle "
    "cedar cello chalk cherry chimney cinema circle citrus clay clock cloud clover cobalt coffee "
    "comet compass copper coral cotton cousin cradle crane crater cricket crystal curtain cymbal "
    "daisy dancer delta denim desert diamond dinner dolphin domino donkey dragon drum eagle "
    "easel echo elbow ember emerald engine falcon feather fennel ferry fiddle finch flame "
    "flute forest fossil fountain fox galaxy garden garlic gazelle ginger glacier globe goblet "
    "grape gravel guitar hammer harbor harvest hazel heron hickory honey horizon igloo indigo "
    "ink iris island ivory jacket jaguar jasmine jelly jigsaw jungle juniper kayak kernel kettle "
    "kiwi koala ladder lagoon lantern lapel lava lemon lentil lever lichen lilac linen lizard "
    "lobster locket lotus lumber magnet mango maple marble meadow melon meteor mint mirror mitten "
    "monsoon mosaic moss muffin nectar needle nickel nutmeg oasis ocean olive onion opal orbit "
    "orchid otter oyster paddle panda paper parrot pebble pepper piano pickle pilot planet plum "
    "pocket polar poppy prism puzzle quartz quilt rabbit radar raisin ranch raven reef ribbon "
    "river robin rocket ruby saddle saffron salmon sandal satin scarf shadow shelter silver "
    "sketch slate spiral spruce squid stable statue summit sunset swan tango teapot temple "
    "thimble thunder timber tulip turtle umbrella valley velvet violin walnut willow yarrow"
).split()
_GROUP = "0123456789abcdefghjkmnpqrstvwxyz"


def short_code(digest: bytes) -> str:
    """Return a digest's code (at least 9 bytes), for example `amber otter … teapot · 7k2m`."""
    if len(digest) < 9:
        raise ValueError("a short code needs at least 9 bytes")
    words = " ".join(_WORDS[byte] for byte in digest[:6])
    tail = int.from_bytes(digest[6:9], "big") >> 4
    group = "".join(_GROUP[tail >> shift & 31] for shift in (15, 10, 5, 0))
    return f"{words} · {group}"
