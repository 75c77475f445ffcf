package store

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What can be wrong with a backup or with the folder it is to be laid into.
var (
	ErrNoBackup = errors.New("not a whole backup")
	ErrNotEmpty = errors.New("not empty")
)

// restoring is the folder, inside of the one that is restored, in which a store
// is made until it is whole.
const restoring = "restore.new"

// Restore lays a backup into a folder that is empty or does not exist. It reads
// the archive twice: nothing is written before every checksum has been compared.
// The store is made beside its place, checked as CheckFolder does, and moved
// there with the ledger last, so that a restore that was cut off is no store. The
// folder is locked meanwhile: ErrLocked where a daemon has it. Names
// in the archive are compared with those that may come, and never used as paths.
// Progress is told how much of the two readings is done.
func Restore(ctx context.Context, archive io.ReadSeeker, dir string,
	p Progress) (Manifest, error) {
	if err := checkEmptyFolder(dir); err != nil {
		return Manifest{}, err
	}
	size, err := archive.Seek(0, io.SeekEnd)
	if err != nil {
		return Manifest{}, fmt.Errorf("read backup: %w", err)
	}
	in := &counting{ctx: ctx, from: archive, tell: func(n int64) { p(uint64(n), uint64(2*size)) }}
	m, err := verify(in)
	if err != nil {
		return m, fmt.Errorf("read backup: %w", err)
	}
	if err := lay(in, dir, m); err != nil {
		return m, fmt.Errorf("restore into %s: %w", dir, err)
	}
	return m, nil
}

// counting reads a file from its beginning, as often as rewound, until the
// context ends.
type counting struct {
	ctx  context.Context
	from io.ReadSeeker
	n    int64
	tell func(int64)
}

// Read tells how far it is.
func (c *counting) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.from.Read(b)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}

func (c *counting) rewind() error {
	_, err := c.from.Seek(0, io.SeekStart)
	return err
}

func noBackup(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrNoBackup, fmt.Errorf(format, args...))
}

// extract reads the members of a backup in their order and hands over each piece;
// its memory is that of the largest piece. The manifest is compared with what
// came before it.
func extract(in *counting, see func(file string, piece []byte) error) (m Manifest, err error) {
	if err := in.rewind(); err != nil {
		return m, err
	}
	x := &extraction{tar: tar.NewReader(in), see: see}
	if err := x.head(); err != nil {
		return m, err
	}
	for {
		name, content, err := x.member(mostPiece)
		switch {
		case err != nil:
			return m, err
		case name == manifestName:
			return x.manifest(content)
		}
		if err := x.piece(name, content); err != nil {
			return m, err
		}
	}
}

// extraction is where the reading of an archive stands.
type extraction struct {
	tar   *tar.Reader
	store string
	files []Archived
	sum   hash.Hash // of the last file
	see   func(file string, piece []byte) error
}

// member reads the next member whole.
func (x *extraction) member(most int64) (string, []byte, error) {
	h, err := x.tar.Next()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "", nil, noBackup("it ends before its manifest")
	case errors.Is(err, tar.ErrHeader):
		return "", nil, noBackup("%w", err)
	case err != nil:
		return "", nil, err
	case h.Typeflag != tar.TypeReg || h.Size > most:
		return "", nil, noBackup("member %q of type %q, %d bytes", h.Name, h.Typeflag, h.Size)
	}
	content, err := io.ReadAll(io.LimitReader(x.tar, h.Size))
	if errors.Is(err, io.ErrUnexpectedEOF) || err == nil && int64(len(content)) < h.Size {
		err = noBackup("cut off in %q", h.Name)
	}
	return h.Name, content, err
}

func (x *extraction) head() error {
	name, content, err := x.member(mostJSON)
	if err != nil {
		return err
	}
	var h archiveHead
	if name != formatName || json.Unmarshal(content, &h) != nil || h.Format != archiveFormat {
		return noBackup("it does not begin as one")
	}
	if h.Version > archiveVersion {
		return fmt.Errorf("a backup of version %d, this program knows %d: %w", h.Version, archiveVersion, ErrNewer)
	}
	x.store = h.Store
	return nil
}

// piece takes the next piece: one more of the file at hand, or the first of the
// next. The ledger comes first, days ascend.
func (x *extraction) piece(name string, content []byte) error {
	folder, _, _ := strings.Cut(name, "/")
	file := folder + ".db"
	if n := len(x.files); n == 0 || x.files[n-1].File != file {
		if n == 0 != (file == ledgerName) || n > 0 && (!isDay(file) || n > 1 && file <= x.files[n-1].File) {
			return noBackup("%q does not belong here", name)
		}
		x.close()
		x.files, x.sum = append(x.files, Archived{File: file}), sha256.New()
	}
	last := &x.files[len(x.files)-1]
	last.Pieces++
	if name != pieceName(file, last.Pieces) {
		return noBackup("%q instead of %q", name, pieceName(file, last.Pieces))
	}
	last.Bytes += int64(len(content))
	x.sum.Write(content)
	return x.see(file, content)
}

func isDay(file string) bool {
	name := strings.TrimSuffix(strings.TrimPrefix(file, "hits-"), ".db")
	_, err := time.Parse("20060102", name)
	return err == nil && file == "hits-"+name+".db"
}

func (x *extraction) close() {
	if n := len(x.files); n > 0 {
		x.files[n-1].SHA256 = hex.EncodeToString(x.sum.Sum(nil))
	}
}

// manifest compares what came with what should have come.
func (x *extraction) manifest(content []byte) (m Manifest, err error) {
	x.close()
	if err := json.Unmarshal(content, &m); err != nil {
		return m, noBackup("manifest: %w", err)
	}
	if m.Store != x.store || len(m.Files) != len(x.files) || len(m.Files) == 0 {
		return m, noBackup("the manifest is that of another one")
	}
	if !m.agrees() {
		return m, noBackup("the mark in its manifest is not where its files end")
	}
	for i, came := range x.files {
		want := m.Files[i]
		came.Records, came.First, came.Last = want.Records, want.First, want.Last
		if came != want {
			return m, noBackup("%s is not what the manifest says: checksum or size differ", came.File)
		}
	}
	return m, nil
}

// VerifyBackup reads a backup once and compares every checksum. An archive that was
// cut off, or is another thing, is ErrNoBackup.
func VerifyBackup(ctx context.Context, archive io.ReadSeeker) (Manifest, error) {
	m, err := verify(&counting{ctx: ctx, from: archive, tell: func(int64) {}})
	if err != nil {
		return m, fmt.Errorf("read backup: %w", err)
	}
	return m, nil
}

func verify(in *counting) (Manifest, error) {
	return extract(in, func(string, []byte) error { return nil })
}

// lay makes the store of a backup that was verified.
func lay(in *counting, dir string, m Manifest) error {
	temp := filepath.Join(dir, restoring)
	if err := makeFolder(dir); err != nil {
		return err
	}
	lock, err := lockFolder(dir, false)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()           // nothing was written to it
	if err := checkEmptyFolder(dir); err != nil { // somebody may have begun there meanwhile
		return err
	}
	if err := os.Mkdir(temp, 0o700); err != nil {
		return err
	}
	err = fillFolder(in, temp, m)
	if err == nil {
		err = checkLaid(in.ctx, temp, m)
	}
	if err == nil {
		err = moveUp(temp, dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temp))
	}
	return nil
}

// checkLaid believes a store only when it is whole and what the manifest says.
func checkLaid(ctx context.Context, temp string, m Manifest) error {
	var found []Archived
	for c, err := range checkFolder(ctx, temp, m.Missing, func(uint64, uint64) {}) {
		switch {
		case err != nil:
			return err
		case len(c.Faults) > 0:
			return noBackup("%w", c.Faults[0])
		}
		found = append(found, Archived{File: c.File, Records: c.Records, First: c.First, Last: c.Last})
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, want := range m.Files {
		want.Pieces, want.Bytes, want.SHA256 = 0, 0, ""
		if !slices.Contains(found, want) {
			return noBackup("%s does not hold what the manifest says", want.File)
		}
	}
	return nil
}

// moveUp moves the files of a store one folder up, the ledger last. It never puts
// one in the place of another: where it cannot end it takes back what it moved.
func moveUp(temp, dir string) (err error) {
	entries, err := os.ReadDir(temp)
	if err != nil {
		return err
	}
	names := []string{}
	for _, e := range entries {
		if e.Name() != ledgerName {
			names = append(names, e.Name())
		}
	}
	var moved []string
	defer func() {
		for _, path := range slices.Backward(moved) {
			if err != nil {
				err = errors.Join(err, os.Remove(path))
			}
		}
	}()
	for _, name := range append(names, ledgerName) {
		if err := syncFolder(dir); err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		if err := os.Link(filepath.Join(temp, name), path); err != nil {
			return err
		}
		moved = append(moved, path)
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	_ = os.RemoveAll(temp) // else the next start does
	return nil
}
