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
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/trapline/trapline/criteria"
)

// A backup is a tar archive of
//
//	format.json               what it is, of which version and store
//	ledger/000001 …           pieces of the ledger
//	hits-YYYYMMDD/000001 …    pieces of each day, oldest first
//	manifest.json             the mark, and of each file size, span and SHA-256 of its pieces
//
// A piece is a run of pairs as they lie in the store: bucket, key, value, each
// with its length before it as a varint. So the checksum of each value goes with
// it, and every archive is the same on every machine. Nothing is compressed:
// evidence is already.
const (
	archiveFormat  = "trapline backup"
	archiveVersion = 1
	formatName     = "format.json"
	manifestName   = "manifest.json"

	pieceBytes = 1 << 20  // a piece ends with the pair that reaches it
	mostPiece  = 64 << 20 // the largest pair is the points of an import
	mostJSON   = 8 << 20
)

// Manifest says what a backup holds.
type Manifest struct {
	Made  criteria.Second `json:"made"`
	Store string          `json:"store"` // its identity, in hex
	Mark  Mark            `json:"mark"`  // the backup is the store as it stood here
	Files []Archived      `json:"files"` // the ledger, then the days
	// Missing are hits that the store has lost, so that none is missed for another
	// reason.
	Missing []Gap `json:"missing,omitempty"`
}

// Archived is one file of a store in a backup.
type Archived struct {
	File    string `json:"file"`
	Pieces  int    `json:"pieces"`
	Bytes   int64  `json:"bytes"`
	Records int    `json:"records"` // hits or decisions
	First   uint64 `json:"first"`   // LSN or decision
	Last    uint64 `json:"last"`
	SHA256  string `json:"sha256"` // of the pieces, one after the other
}

// Records are all hits of a backup, and its decisions.
func (m Manifest) Records() (hits, decisions int) {
	for _, f := range m.Files {
		if f.File == ledgerName {
			decisions += f.Records
		} else {
			hits += f.Records
		}
	}
	return hits, decisions
}

// gaps are the hits up to the mark that are in none of the files.
func (m Manifest) gaps() []Gap {
	var days []span
	for _, f := range m.Files[1:] {
		days = append(days, span{f.First, f.Last})
	}
	return gapsIn(days, m.Mark.LSN)
}

// agrees tells whether ledger and days end at the mark, and nothing is missing but
// what is said to be.
func (m Manifest) agrees() bool {
	for _, f := range m.Files[1:] {
		if f.Last > m.Mark.LSN {
			return false
		}
	}
	return m.Files[0].Last == m.Mark.Decision && slices.Equal(m.gaps(), m.Missing)
}

type archiveHead struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Store   string `json:"store"`
}

// Backup writes the store as it stands at the mark, also while it is written: the
// log only grows, so what comes after the mark is left out. No transaction lasts
// longer than a piece. Days are not dropped meanwhile. Every value's checksum is
// looked at: what is damaged is not backed up, but the error. A backup without a
// manifest at its end is none.
func (s *Store) Backup(ctx context.Context, w io.Writer, r Rest) (Manifest, error) {
	days, mark, release := s.keepDays()
	defer release()
	a := &archive{ctx: ctx, ease: r.easer(ctx), tar: tar.NewWriter(w), made: s.cfg.Now(),
		manifest: Manifest{Made: criteria.At(s.cfg.Now()), Store: hex.EncodeToString(s.ledger.store),
			Mark: mark}}
	err := a.json(formatName, archiveHead{archiveFormat, archiveVersion, a.manifest.Store})
	if err == nil {
		err = a.ledger(&s.ledger.file)
	}
	for _, d := range days {
		if err == nil {
			err = a.day(d)
		}
	}
	if err == nil {
		a.manifest.Missing = a.manifest.gaps()
		err = a.json(manifestName, a.manifest)
	}
	if err == nil {
		err = a.tar.Close()
	}
	if err != nil {
		return a.manifest, fmt.Errorf("back up store: %w", err)
	}
	return a.manifest, nil
}

// archive is a backup being written.
type archive struct {
	ctx      context.Context
	ease     func() bool
	tar      *tar.Writer
	made     time.Time
	manifest Manifest
	file     Archived // being written
	sum      hash.Hash
	piece    []byte
}

func (a *archive) json(name string, value any) error {
	b, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return a.member(name, append(b, '\n'))
}

func (a *archive) member(name string, content []byte) error {
	head := tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o600,
		ModTime: a.made.UTC().Truncate(time.Second), Format: tar.FormatUSTAR}
	if err := a.tar.WriteHeader(&head); err != nil {
		return err
	}
	_, err := a.tar.Write(content)
	return err
}

func (a *archive) begin(name string) { a.file, a.sum = Archived{File: name}, sha256.New() }

func (a *archive) end() {
	a.file.SHA256 = hex.EncodeToString(a.sum.Sum(nil))
	a.manifest.Files = append(a.manifest.Files, a.file)
}

// flush writes the piece that was gathered.
func (a *archive) flush() error {
	if len(a.piece) == 0 {
		return nil
	}
	a.file.Pieces++
	a.file.Bytes += int64(len(a.piece))
	a.sum.Write(a.piece)
	err := a.member(pieceName(a.file.File, a.file.Pieces), a.piece)
	a.piece = a.piece[:0]
	return err
}

func pieceName(file string, n int) string {
	return fmt.Sprintf("%s/%06d", strings.TrimSuffix(file, ".db"), n)
}

func (a *archive) pair(bucket, k, v []byte) {
	a.piece = appendPair(a.piece, bucket, k, v)
}

func appendPair(b, bucket, k, v []byte) []byte {
	return appendText(appendText(appendText(b, bucket), k), v)
}

// errShort says that a value that the span promises is not there.
var errShort = fmt.Errorf("missing: %w", ErrDamaged)

// day writes the hits of a day up to the mark, each followed by its evidence.
func (a *archive) day(d *day) error {
	all, err := d.span()
	last := min(all.last, a.manifest.Mark.LSN)
	if err != nil || all.last == 0 || all.first > last {
		return err
	}
	a.begin("hits-" + d.name + ".db")
	a.file.First, a.file.Last = all.first, last
	for lsn := all.first; lsn <= last; {
		if lsn, err = a.hits(d, lsn, last); err == nil {
			err = a.rest()
		}
		if err != nil {
			return err
		}
	}
	a.end()
	return nil
}

// rest writes what was gathered, outside of any transaction.
func (a *archive) rest() error {
	if err := a.flush(); err != nil {
		return err
	}
	_ = a.ease()
	return a.ctx.Err()
}

// hits gathers a piece, in one transaction, and gives the LSN to go on with.
func (a *archive) hits(d *day, lsn, last uint64) (uint64, error) {
	began := lsn
	err := d.view(func(tx *bbolt.Tx) error {
		hits, heads := tx.Bucket(bucketHit).Cursor(), tx.Bucket(bucketEvidence)
		for k, v := hits.Seek(key(lsn)); lsn <= last && len(a.piece) < pieceBytes; k, v = hits.Next() {
			if _, err := unpackAt(d, lsn, k, v, recordOf); err != nil {
				return err
			}
			a.pair(bucketHit, k, v)
			if head := heads.Get(k); head != nil {
				if _, err := unseal(bucketEvidence, k, head); err != nil {
					return fmt.Errorf("%s, evidence %d: %w", d.path, lsn, err)
				}
				a.pair(bucketEvidence, k, head)
			}
			a.file.Records++
			lsn++
		}
		return nil
	})
	if err == nil && lsn == began {
		err = fmt.Errorf("%s, hit %d: %w", d.path, lsn, errShort)
	}
	return lsn, err
}

// ledger writes what the ledger says of the store, and the decisions up to the
// mark, each followed by its points.
func (a *archive) ledger(l *file) error {
	a.begin(ledgerName)
	last := a.manifest.Mark.Decision
	a.file.First, a.file.Last = min(1, last), last
	err := l.view(func(tx *bbolt.Tx) error {
		for _, k := range [][]byte{keyStore, keySecret} {
			if _, err := get(tx, bucketMeta, k); err != nil {
				return fmt.Errorf("%s: %s: %w", l.path, k, err)
			}
			a.pair(bucketMeta, k, tx.Bucket(bucketMeta).Get(k))
		}
		return nil
	})
	for seq := uint64(1); err == nil && seq <= last; {
		if seq, err = a.decisions(l, seq, last); err == nil {
			err = a.rest()
		}
	}
	if err = errors.Join(err, a.flush()); err != nil {
		return err
	}
	a.end()
	return nil
}

func (a *archive) decisions(l *file, seq, last uint64) (uint64, error) {
	err := l.view(func(tx *bbolt.Tx) error {
		decisions, points := tx.Bucket(bucketDecision), tx.Bucket(bucketPoints)
		for ; seq <= last && len(a.piece) < pieceBytes; seq++ {
			k := key(seq)
			if _, err := decisionOf(tx, seq); err != nil {
				return fmt.Errorf("%s, decision %d: %w", l.path, seq, err)
			}
			a.pair(bucketDecision, k, decisions.Get(k))
			if p := points.Get(k); p != nil {
				if _, err := unseal(bucketPoints, k, p); err != nil {
					return fmt.Errorf("%s, points of decision %d: %w", l.path, seq, err)
				}
				a.pair(bucketPoints, k, p)
			}
			a.file.Records++
		}
		return nil
	})
	return seq, err
}

// pairs reads a piece; what is not a whole pair is damage.
func pairs(piece []byte, see func(bucket, k, v []byte) error) error {
	u := unpacker{rest: piece}
	for len(u.rest) > 0 {
		bucket, k, v := u.take(u.number()), u.take(u.number()), u.take(u.number())
		if u.bad {
			return fmt.Errorf("a piece does not unpack: %w", ErrDamaged)
		}
		if err := see(bucket, k, v); err != nil {
			return err
		}
	}
	return nil
}
