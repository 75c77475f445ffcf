package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/trapline/trapline/criteria"
)

var snapshotMagic = []byte("trapsnap")

// snapshotHead is the magic, the store's identity and the mark: LSN, decision,
// instant.
const snapshotHead = 8 + identity + 3*8

func (s *Store) snapshotPath() string { return filepath.Join(s.cfg.Dir, snapshotName) }

// WriteSnapshot keeps a derived state together with the place in the log that
// it stands for. It replaces the one before, whole or not at all.
func (s *Store) WriteSnapshot(m Mark, state []byte) error {
	b := append(make([]byte, 0, len(state)+snapshotHead+4), snapshotMagic...)
	b = append(b, s.ledger.store...)
	for _, n := range []uint64{m.LSN, m.Decision, uint64(m.At)} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = append(b, state...)
	b = binary.BigEndian.AppendUint32(b, checksum(b))
	path := s.snapshotPath()
	s.dropUnfinished()
	err := renameio.WriteFile(path, b, 0o600, renameio.IgnoreUmask(), renameio.WithTempDir(s.cfg.Dir))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncFolder(s.cfg.Dir)
}

// dropUnfinished removes what a process that was killed had begun to write.
func (s *Store) dropUnfinished() {
	left, _ := filepath.Glob(filepath.Join(s.cfg.Dir, "."+snapshotName+"*")) // the pattern is good
	for _, path := range left {
		_ = os.Remove(path) // the next time
	}
}

// ReadSnapshot gives what WriteSnapshot kept; no error and no state where there
// is none. A snapshot is never needed: on any error, ErrDamaged and ErrForeign
// among them, the caller starts from the log.
func (s *Store) ReadSnapshot() (Mark, []byte, error) {
	return readSnapshot(s.snapshotPath(), s.ledger.store)
}

// readSnapshot reads the snapshot of a store, of any where its identity is not known.
func readSnapshot(path string, store []byte) (Mark, []byte, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Mark{}, nil, nil
	}
	if err != nil {
		return Mark{}, nil, err
	}
	m, state, err := parseSnapshot(b, store)
	if err != nil {
		return Mark{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, state, nil
}

func parseSnapshot(b, store []byte) (Mark, []byte, error) {
	end := len(b) - 4
	if end < snapshotHead || string(b[:8]) != string(snapshotMagic) ||
		checksum(b[:end]) != binary.BigEndian.Uint32(b[end:]) {
		return Mark{}, nil, ErrDamaged
	}
	n := binary.BigEndian.Uint64
	numbers := b[8+identity:]
	m := Mark{LSN: n(numbers), Decision: n(numbers[8:]), At: criteria.Second(n(numbers[16:]))}
	// The numbers of another store would leave out decisions of this one.
	if store != nil && string(b[8:8+identity]) != string(store) {
		return Mark{}, nil, ErrForeign
	}
	return m, b[snapshotHead:end], nil
}
