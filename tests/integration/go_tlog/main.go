// Checks notes and proofs with the Go project's own libraries, which share no code with ours.
package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type asked struct {
	Note, Name, Key string
	Inclusion       []struct {
		Index, Size int64
		Leaf, Root  string
		Proof       []string
	}
	Consistency []struct {
		Old, Size     int64
		OldRoot, Root string
		Proof         []string
	}
}

type verifier struct {
	name string
	id   uint32
	key  *ecdsa.PublicKey
}

func (v verifier) Name() string    { return v.name }
func (v verifier) KeyHash() uint32 { return v.id }
func (v verifier) Verify(message, signature []byte) bool {
	digest := sha256.Sum256(message)
	return ecdsa.VerifyASN1(v.key, digest[:], signature)
}

func main() {
	if err := check(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func check() error {
	var all asked
	if err := json.NewDecoder(os.Stdin).Decode(&all); err != nil {
		return err
	}
	found, err := x509.ParsePKIXPublicKey(decoded(all.Key))
	if err != nil {
		return err
	}
	digest := sha256.Sum256(decoded(all.Key))
	key := verifier{all.Name, binary.BigEndian.Uint32(digest[:4]), found.(*ecdsa.PublicKey)}
	opened, err := note.Open([]byte(all.Note), note.VerifierList(key))
	if err != nil {
		return err
	}
	for _, p := range all.Inclusion {
		err := tlog.CheckRecord(hashes(p.Proof), p.Size, hash(p.Root), p.Index, hash(p.Leaf))
		if err != nil {
			return fmt.Errorf("leaf %d of %d: %w", p.Index, p.Size, err)
		}
	}
	for _, p := range all.Consistency {
		err := tlog.CheckTree(hashes(p.Proof), p.Size, hash(p.Root), p.Old, hash(p.OldRoot))
		if err != nil {
			return fmt.Errorf("tree %d after %d: %w", p.Size, p.Old, err)
		}
	}
	fmt.Printf("%d signed, %d unknown, %d in, %d after\n",
		len(opened.Sigs), len(opened.UnverifiedSigs), len(all.Inclusion), len(all.Consistency))
	return nil
}

func decoded(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return data
}

func hash(text string) (found tlog.Hash) {
	copy(found[:], decoded(text))
	return found
}

func hashes(texts []string) (found []tlog.Hash) {
	for _, text := range texts {
		found = append(found, hash(text))
	}
	return found
}
