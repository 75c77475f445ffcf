package zone

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Names in the folder for state.
const (
	generationsName = "generations"
	nextName        = "next"
	linkName        = "link"
	stateName       = "state.json"
)

// state is what must outlive a restart.
type state struct {
	Serial uint32 `json:"serial"`
	Hold   Hold   `json:"hold"`
	Order  uint64 `json:"order"`  // that the publication with the serial carries out
	Before uint64 `json:"before"` // and the one that it replaces, for that may fail
}

// fileTimes is how the four files looked when they were written.
type fileTimes [4]os.FileInfo

// lookAt takes the files as they are; nil stands for one that is not there.
func lookAt(dir, origin string) fileTimes {
	var t fileTimes
	for i, name := range namesOf(origin) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t[i] = info
		}
	}
	return t
}

// stand tells whether the files still are those.
func (t fileTimes) stand(dir, origin string) bool {
	now := lookAt(dir, origin)
	for i := range t {
		if t[i] == nil || now[i] == nil || !os.SameFile(t[i], now[i]) ||
			t[i].Size() != now[i].Size() || !t[i].ModTime().Equal(now[i].ModTime()) {
			return false
		}
	}
	return true
}

// newest is the latest modification among the files.
func (t fileTimes) newest() time.Time {
	var newest time.Time
	for _, info := range t {
		if info != nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}

// write puts a list on disk: whole in the folder for state first, then name by name in public. The
// generation that the order goes back to, if any, stays however old it is.
func (p *Publisher) write(h Header, passed Passed, o Order, now criteria.Second) error {
	serial, err := p.nextSerial(now)
	if err != nil {
		return err
	}
	p.serial = serial
	modified := p.nextModified(now)
	files := renderAll(h, passed.Listings, serial, now)
	if err := p.stage(files, modified); err != nil {
		return err
	}
	if err := p.save(state{serial, passed.Hold, o.Decision.Seq, p.State().Order}); err != nil {
		return err
	}
	if err := p.promote(); err != nil {
		return err
	}
	p.hold, p.damaged, p.modified = passed.Hold, nil, modified
	p.files = lookAt(p.cfg.Dir, p.cfg.Header.Origin)
	p.published.Store(&publication{h, serial, now, o.Decision.Seq, passed.Listings})
	return p.prune(o.serial())
}

// nextModified is the time the files get: rbldnsd and rsync see a change by whole seconds of it, so
// it rises by one at least, and no more than that where the clock stepped back.
func (p *Publisher) nextModified(now criteria.Second) time.Time {
	newest := lookAt(p.cfg.Dir, p.cfg.Header.Origin).newest()
	if p.modified.After(newest) {
		newest = p.modified // a file may have been taken away
	}
	if newest.IsZero() {
		return now.Time()
	}
	return max(now, criteria.At(newest)+1).Time()
}

func (p *Publisher) state(elements ...string) string {
	return filepath.Join(append([]string{p.cfg.StateDir}, elements...)...)
}

// stage writes a generation: when it has its name, all in it is on disk.
func (p *Publisher) stage(files content, modified time.Time) error {
	const private, public = 0o700, 0o755
	next := p.state(nextName)
	for _, folder := range []struct {
		name string
		mode os.FileMode
	}{{p.cfg.Dir, public}, {p.cfg.StateDir, private}, {p.state(generationsName), private}} {
		if err := p.disk.Folder(folder.name, folder.mode); err != nil {
			return err
		}
	}
	if err := p.disk.Remove(next); err != nil {
		return err
	}
	if err := p.disk.Folder(next, private); err != nil {
		return err
	}
	for i, name := range namesOf(p.cfg.Header.Origin) {
		if err := p.disk.Write(filepath.Join(next, name), files[i], modified); err != nil {
			return err
		}
	}
	if err := p.disk.Sync(next); err != nil {
		return err
	}
	if err := p.disk.Remove(p.generation()); err != nil {
		return err // of a publication that failed before its serial was saved
	}
	if err := p.disk.Rename(next, p.generation()); err != nil {
		return err
	}
	return p.disk.Sync(p.state(generationsName))
}

// save keeps the serial before anybody can see it.
func (p *Publisher) save(s state) error {
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	next := p.state(nextName)
	if err := p.disk.Remove(next); err != nil {
		return err
	}
	if err := p.disk.Write(next, append(data, '\n'), p.cfg.Now()); err != nil {
		return err
	}
	if err := p.disk.Rename(next, p.state(stateName)); err != nil {
		return err
	}
	return p.disk.Sync(p.cfg.StateDir)
}

// promote gives the files of the generation their public names, one rename each, in order.
func (p *Publisher) promote() error {
	link := p.state(linkName)
	for _, name := range namesOf(p.cfg.Header.Origin) {
		if err := p.disk.Link(filepath.Join(p.generation(), name), link); err != nil {
			return err
		}
		if err := p.disk.Rename(link, filepath.Join(p.cfg.Dir, name)); err != nil {
			return err
		}
	}
	return p.disk.Sync(p.cfg.Dir)
}
