package store

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
)

// Compacted is a file after a compaction.
type Compacted struct {
	File   string `json:"file"`
	Before int64  `json:"before"` // bytes
	After  int64  `json:"after"`  // as before where there was too little to gain
}

// worthwhile is which part of a file must be free, at least, for it to be rewritten.
const worthwhile = 20

// Compact rewrites the files of which a twentieth or more is free, ledger first,
// while mail comes in; the newest day among them. It needs a writer at work, and
// the room of one more file. Progress is told in bytes of the files. An
// error is the last that comes; what was rewritten before it stays so.
func (s *Store) Compact(ctx context.Context, r Rest, p Progress) iter.Seq2[Compacted, error] {
	return func(yield func(Compacted, error) bool) {
		files := []*file{&s.ledger.file}
		for _, d := range s.openFiles() {
			files = append(files, &d.file)
		}
		done, total := int64(0), int64(0)
		for _, f := range files {
			total += sizeOf(f.path)
		}
		for _, f := range files {
			p(uint64(done), uint64(total))
			c, err := s.compact(ctx, f, r)
			if !yield(c, err) || err != nil {
				return
			}
			done += c.Before
		}
		p(uint64(total), uint64(total))
	}
}

func (s *Store) compact(ctx context.Context, f *file, r Rest) (Compacted, error) {
	c := Compacted{File: filepath.Base(f.path)}
	if err := ctx.Err(); err != nil {
		return c, err
	}
	var free int64
	var err error
	if c.Before, free, err = freeIn(f.path); err != nil {
		return c, err
	}
	if c.After = c.Before; free < c.Before/worthwhile {
		return c, nil
	}
	err = s.rewrite(ctx, f, r)
	c.After = sizeOf(f.path)
	return c, err
}

// freeIn gives the size of a file, and how many bytes of it no page in use takes.
// Beside a writer it may be a commit late.
func freeIn(path string) (size, free int64, err error) {
	f, err := os.Open(path) // the lock stays: it belongs to bbolt's own descriptor
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	m, ok := newestMeta(f)
	if !ok {
		return 0, 0, fmt.Errorf("%s: no whole meta page: %w", path, ErrDamaged)
	}
	p := &pager{file: f, metaPage: m}
	list, err := p.read(m.freelist)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", path, err)
	}
	n, _ := list.freeCount()
	used := (int64(m.pages) - int64(n)) * int64(m.pageSize)
	return info.Size(), max(info.Size()-used, 0), nil
}
