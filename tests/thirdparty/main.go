// Checks the ledger's evidence with programs that nobody of this project wrote: tessera's fsck for
// folders of tiles, sumdb's note and tlog for signatures and proofs, transparency-dev's formats for cosignatures.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Each of fsck's workers ends at the first tile that differs, and it waits for them: enough for all.
const workers = 1000

func main() {
	checks := map[string]func([]string) error{"tiles": tiles, "note": signedNote, "proof": proof, "witness": witness}
	if err := checks[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

// tiles: a folder of tiles, and the key under the tree's own name.
func tiles(args []string) error {
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	folder := client.FileFetcher{Root: args[0]}
	return fsck.New(verifier.Name(), verifier, folder, leaves, fsck.Opts{N: workers}).Check(context.Background())
}

func leaves(bundle []byte) ([][]byte, error) {
	entries := &api.EntryBundle{}
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// note: a signed note, and the key it must be signed by.
func signedNote(args []string) error {
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	return opened(args[0], verifier)
}

// witness: a checkpoint, and the key of a witness that must have cosigned it.
func witness(args []string) error {
	verifier, err := formats.NewVerifier(args[1])
	if err != nil {
		return err
	}
	return opened(args[0], verifier)
}

// proof: a bundle (C2SP tlog-proof), the key, and the entry's bytes in a file.
func proof(args []string) error {
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	entry, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	head, checkpoint, _ := bytes.Cut(text, []byte("\n\n"))
	signed, err := note.Open(checkpoint, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + strings.SplitN(signed.Text, "\n", 2)[1]))
	if err != nil {
		return err
	}
	var index int64
	var path tlog.RecordProof
	lines := bufio.NewScanner(bytes.NewReader(head))
	for lines.Scan() {
		line := lines.Text()
		if value, is := strings.CutPrefix(line, "index "); is {
			if index, err = strconv.ParseInt(value, 10, 64); err != nil {
				return err
			}
		} else if raw, err := base64.StdEncoding.DecodeString(line); err == nil && len(raw) == tlog.HashSize {
			path = append(path, tlog.Hash(raw))
		}
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func opened(file string, verifier note.Verifier) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = note.Open(text, note.VerifierList(verifier))
	return err
}
