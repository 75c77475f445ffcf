package store

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Mark is how far the log is complete: everything up to LSN and decision
// number Decision is on disk, and nothing later will carry an instant before At.
type Mark struct {
	LSN      uint64          `json:"lsn"`
	Decision uint64          `json:"decision"`
	At       criteria.Second `json:"at"`
}

// Config says where a store is and what it may do.
type Config struct {
	Dir       string
	Now       func() time.Time // nil: the system's clock
	FreeBytes uint64           // of disk: with less, Room says ErrFull
	Retention time.Duration    // how long records are kept; 0: for ever
	Evidence  time.Duration    // how long their evidence is; 0: as long as they
	Observer  Observer         // nil: nobody wants to know
}

// Observer is told what a store does by itself. It must not block.
type Observer interface {
	// Migrated: the store was of an older schema, and is copied as it was.
	Migrated(from, to uint64, copied string)
	// EvidenceDropped: a file holds no evidence any more, and has so many bytes less.
	EvidenceDropped(file string, bytes int64)
	// EvidenceStays: evidence whose time has passed could not be dropped, and why. It
	// is tried again within an hour.
	EvidenceStays(file string, why error)
}

// Store is an open store. Reading and appending are safe from any goroutine.
type Store struct {
	cfg      Config
	lock     *os.File // of the folder
	ledger   *ledger
	missing  []Gap
	readOnly bool

	put     func(*day, []*Record, uint64) error      // a commit of hits
	decide  func(*ledger, []criteria.Decision) error // a commit of decisions
	disk    disk                                     // where a file takes another's place
	clock   *clock                                   // the writer's, once it has begun
	queue   chan *request                            // appenders to writer
	chores  chan chore                               // likewise, of what is done between commits
	closing chan struct{}                            // closed: take no more
	failed  chan struct{}                            // closed by the writer: see ErrFailed
	ended   chan struct{}                            // closed by the writer: it answers nobody any more
	changed chan struct{}                            // of one: the mark moved
	writer  sync.WaitGroup
	begun   atomic.Bool
	beats   atomic.Uint64 // the writer's: see Beats
	stop    sync.Once

	rewriting sync.Mutex // one file at a time

	mu   sync.RWMutex // guards what follows
	days []*day       // ascending, the newest last
	mark Mark
	kept int   // readers that need the days to stay
	full error // why Room refuses, nil with room
	keep Retention

	reserved uint64 // bytes of disk that stay free
}

// Open opens the store of a folder for this process alone, making it where the
// folder is empty, and bringing it to our schema where it is of an older one. Errors
// say which file is wrong and why: ErrLocked, ErrDamaged, ErrNewer, ErrForeign, or ErrAhead where the log lies more than an
// hour in the clock's future. Close it after use; appending also needs Begin.
func Open(cfg Config) (*Store, error) {
	if err := makeFolder(cfg.Dir); err != nil {
		return nil, fmt.Errorf("make data_dir: %w: give data_dir a folder that can be made", err)
	}
	return open(cfg, false)
}

// OpenReadOnly opens a store for reading while no daemon has it open.
func OpenReadOnly(dir string) (*Store, error) { return open(Config{Dir: dir}, true) }

func open(cfg Config, readOnly bool) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	lock, err := lockFolder(cfg.Dir, readOnly)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if !readOnly {
		err = bring(cfg)
	}
	var l *ledger
	if err == nil {
		l, err = openLedger(cfg.Dir, readOnly)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), lock.Close())
	}
	s := &Store{cfg: cfg, lock: lock, ledger: l, readOnly: readOnly, clock: clockOf(cfg.Now),
		put: (*day).put, decide: (*ledger).put, disk: osDisk(), keep: Retention{cfg.Retention, cfg.Evidence},
		reserved: cfg.FreeBytes,
		queue:    make(chan *request, maxQueue), chores: make(chan chore), changed: make(chan struct{}, 1),
		closing: make(chan struct{}), failed: make(chan struct{}), ended: make(chan struct{})}
	if err := s.openDays(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.closeFiles())
	}
	if readOnly {
		s.Stop() // there is no writer
	} else {
		dropLeftovers(cfg.Dir)
	}
	return s, nil
}

// openDays opens every day and finds where the log ends.
func (s *Store) openDays() error {
	names, err := dayNames(s.cfg.Dir)
	if err != nil {
		return err
	}
	for i, name := range names {
		d, err := openDay(s.cfg.Dir, name, s.ledger.store, s.readOnly || i < len(names)-1)
		if err != nil {
			return err
		}
		s.days = append(s.days, d)
	}
	if err := s.findMark(); err != nil {
		return err
	}
	if ahead := s.mark.At - criteria.At(s.cfg.Now()); ahead > 3600 && !s.readOnly {
		return fmt.Errorf("the log ends at %s, %ds from now: %w: set the clock",
			s.mark.At, ahead, ErrAhead)
	}
	return nil
}

// findMark looks for the last record and the last decision. Ledger and snapshot
// know LSNs too: none is used twice even when the newest log was lost. Days and
// snapshot know of decisions: without one of them the hits mean another list.
func (s *Store) findMark() error {
	days, decided, err := s.readDays()
	if err != nil {
		return err
	}
	inFiles := s.mark.LSN
	for _, d := range s.ledger.decisions {
		s.mark.LSN, s.mark.At = max(s.mark.LSN, d.After), max(s.mark.At, d.At)
	}
	s.mark.Decision = uint64(len(s.ledger.decisions))
	if saved, _, err := s.ReadSnapshot(); err == nil {
		s.mark.LSN, s.mark.At = max(s.mark.LSN, saved.LSN), max(s.mark.At, saved.At)
		decided = max(decided, saved.Decision)
	}
	if decided > s.mark.Decision {
		return fmt.Errorf("%s %w", s.ledger.path, behind(s.mark.Decision, decided))
	}
	s.missing = gapsIn(days, s.mark.LSN)
	return s.checkEnd(inFiles)
}

// readDays moves the mark to the last record, and gives what the days hold and how
// many decisions they know of.
func (s *Store) readDays() (days []span, decided uint64, err error) {
	for _, d := range s.days {
		span, then, err := d.reach()
		switch {
		case err != nil:
			return nil, 0, err
		case span.last == 0:
			continue
		case span.first <= s.mark.LSN:
			return nil, 0, fmt.Errorf("%s begins at hit %d, after hit %d: %w",
				d.path, span.first, s.mark.LSN, ErrDamaged)
		}
		records, _, err := read(d, span.last, span.last, recordOf)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range records {
			s.mark.LSN, s.mark.At = r.LSN, max(s.mark.At, r.Stamp)
		}
		days, decided = append(days, span), max(decided, then)
	}
	return days, decided, nil
}

// behind says that a ledger lacks decisions: it would list what they took out.
func behind(last, decided uint64) error {
	return fmt.Errorf("ends at decision %d, but decision %d was stored: %w: restore it from a backup",
		last, decided, ErrDamaged)
}

// checkEnd tells whether the log can go on. Where hits are gone, it goes on in
// another file or not at all: within one a gap is damage.
func (s *Store) checkEnd(inFiles uint64) error {
	if inFiles == s.mark.LSN || len(s.days) == 0 || s.days[len(s.days)-1].name < dayName(s.mark.At) {
		return nil
	}
	return fmt.Errorf("%s ends at hit %d, but hit %d was stored: %w: restore it from a backup, or move it away",
		s.days[len(s.days)-1].path, inFiles, s.mark.LSN, ErrDamaged)
}

// Mark says how far the log is complete.
func (s *Store) Mark() Mark {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mark
}

// Changed gets a value when the mark has moved since the last one was taken.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// Failed is closed when storage fails in a way that only a restart can mend.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Secret is 32 random bytes made with the store, for HMACs that must stay the
// same over restarts. The caller must not change or show them.
func (s *Store) Secret() []byte { return s.ledger.secret }

// Room tells whether messages can be taken: nil, ErrFull or ErrFailed. It costs
// nothing; the writer measures once a second.
func (s *Store) Room() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.full
}

// Stop ends the writer once all that is queued is on disk. The mark stands
// still from here on; reading goes on until Close.
func (s *Store) Stop() {
	s.stop.Do(func() {
		close(s.closing)
		if !s.begun.Swap(true) { // nobody will answer
			close(s.ended)
		}
	})
	s.writer.Wait()
}

// Close stops the writer and closes the files.
func (s *Store) Close() error {
	s.Stop()
	return s.closeFiles()
}

func (s *Store) closeFiles() error {
	var errs []error
	for _, d := range s.days {
		errs = append(errs, d.close())
	}
	errs = append(errs, s.ledger.close())
	if err := s.lock.Close(); !errors.Is(err, os.ErrClosed) { // closing twice is no error
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
