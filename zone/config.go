package zone

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
)

// Config is what a Publisher works with. All is required but Explained.
type Config struct {
	Dir      string // the folder that rsync serves; holds our four files and nothing else of ours
	StateDir string // our own: beside Dir on the same file system, never in it
	Header   Header

	MinInterval time.Duration // at most one publication in this time; Runner keeps it
	Keep        int           // generations kept for rollback, the published one among them
	Guard       Guard

	Now     func() time.Time
	Special func(netip.Addr) bool // addresses that nobody on the internet answers for
	// Explained tells whether it is on record why a network left the list: a delist, a dispute, an
	// exception, another policy. Ends that were published, and exceptions, the Publisher knows itself.
	Explained func(netip.Prefix) bool
}

// Renew has publications from now on follow another configuration; it waits for one under way. It
// is an error, and nothing changes, when the configuration is wrong or about another zone or folder.
func (p *Publisher) Renew(c Config) error {
	if err := c.Check(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cfg.samePlace(c) {
		return errors.New("renew publisher: another zone, or another folder: take another Publisher")
	}
	p.cfg = c.whole()
	select {
	case p.renewed <- struct{}{}:
	default:
	}
	return nil
}

func (c Config) samePlace(other Config) bool {
	return c.Dir == other.Dir && c.StateDir == other.StateDir &&
		c.Header.Origin == other.Header.Origin
}

// whole fills in what may be left out.
func (c Config) whole() Config {
	if c.Explained == nil {
		c.Explained = func(netip.Prefix) bool { return false }
	}
	return c
}

// Check tells what is wrong with a configuration.
func (c Config) Check() error {
	if err := c.Header.Check(); err != nil {
		return fmt.Errorf("check zone header: %w", err)
	}
	var faults Faults
	faults.want(c.Dir != "" && c.StateDir != "", "dir", "give a folder, and another one for state")
	faults.want(!isWithin(c.StateDir, c.Dir), "dir",
		"has the folder for state in it, so rsync would serve it")
	faults.want(c.Keep >= 1, "keep", "give at least 1")
	faults.want(c.MinInterval >= 0, "min_interval", "give no negative time")
	faults.want(c.Guard.MaxChange >= 0 && c.Guard.MaxChange <= maxMaxChange, "max_change",
		"give 0 to 1000")
	faults.want(c.Guard.Floor >= 0, "max_change_floor", "give 0 or more")
	faults.want(c.Now != nil && c.Special != nil, "config", "needs a clock and special space")
	if err := faults.orNil(); err != nil {
		return fmt.Errorf("check zone: %w", err)
	}
	return nil
}

// maxMaxChange keeps the guard's sum within its integers.
const maxMaxChange = 1000

// isWithin tells whether a folder is the other one or lies in it.
func isWithin(folder, other string) bool {
	rel, err := filepath.Rel(filepath.Clean(other), filepath.Clean(folder))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
