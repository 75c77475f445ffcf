package zone

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Verify checks a zone's folder, here or at a mirror: the four files are there, readable by all and
// as the sums say; the zone is in every line one of ours, with its test entries, order and stamp;
// .txt and .json say the same. No faults: the folder is good. An error is that something could
// not be read.
func Verify(dir, origin string, now criteria.Second) ([]Fault, error) {
	s, err := readSet(dir, origin)
	if err != nil {
		return nil, err
	}
	s.checkStamp(origin, now)
	for _, name := range namesOf(origin) {
		if err := s.checkMode(dir, name); err != nil {
			return nil, err
		}
	}
	return s.faults, nil
}

// checkStamp faults what rbldnsd would refuse to serve.
func (s *set) checkStamp(origin string, now criteria.Second) {
	valid := criteria.Second(s.zone.Header.ValidFor / time.Second)
	stamp := s.zone.Published - criteria.At(time.Unix(0, 0).Add(stampAge))
	switch {
	case valid == 0:
	case stamp > now:
		s.fault(origin, fmt.Sprintf("is stamped in the future, %s: rbldnsd serves nothing", stamp))
	case stamp+valid <= now:
		s.fault(origin, fmt.Sprintf("expired at %s: rbldnsd serves nothing", stamp+valid))
	}
}

// checkMode faults a file that the daemons of a mirror could not read. Its time is no fault, even
// if it lies ahead: it only has to rise, also after a clock was set back.
func (s *set) checkMode(dir, name string) error {
	const everybody = 0o444
	info, err := os.Stat(filepath.Join(dir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // already a fault
	case err != nil:
		return fmt.Errorf("read zone folder: %w", err)
	}
	if mode := info.Mode().Perm(); mode&everybody != everybody {
		s.fault(name, fmt.Sprintf("has mode %#o, so rsync and rbldnsd may not read it: want 0644", mode))
	}
	return nil
}
