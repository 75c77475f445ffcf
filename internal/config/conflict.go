package config

import (
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// checkConflicts finds values that are right alone and wrong together.
func (r *reader) checkConflicts(c *Config) {
	r.checkMemory(c.Limits)
	r.checkSockets(c)
	r.checkDelivery(c)
	r.checkFolders(c)
	r.checkPlaces(c)
	r.checkRetention(c)
	r.checkHearing(c.Ops)
}

// firstGiven is the path to blame for a conflict: the first that is in the file, or else the first.
func (r *reader) firstGiven(paths ...string) string {
	for _, path := range paths {
		if r.given(path) {
			return path
		}
	}
	return paths[0]
}

func (r *reader) checkMemory(l Limits) {
	const memory, message = "limits.memory_bytes", "limits.message_bytes"
	if l.MemoryBytes < l.MessageBytes && r.sound(memory, message) {
		r.fault(r.firstGiven(memory, message), "leaves less memory than one message may take",
			"give memory_bytes at least what message_bytes is")
	}
}

// bound is a socket and the path it was read from.
type bound struct {
	path    string
	address Address // canonical
}

// sockets lists what is going to be bound. A listener's path counts as the file does, which is
// the order of c.Listen unless the file has faults.
func (r *reader) sockets(c *Config) []bound {
	var all []bound
	for i, l := range c.Listen {
		path := "listen"
		if r.given(path) {
			path = element("listen", i) + ".address"
		}
		all = append(all, bound{path, l.Address.Canonical()})
	}
	return append(all,
		bound{"web.address", c.Web.Address},
		bound{"ops.address", c.Ops.Address},
		bound{"admin.socket", Address{"unix", c.Admin.Socket}.Canonical()})
}

func (r *reader) checkSockets(c *Config) {
	all := r.sockets(c)
	for i, later := range all {
		for _, first := range all[:i] {
			if !first.address.overlaps(later.address) {
				continue
			}
			path, other := later.path, first.path
			if !r.given(path) && r.given(other) {
				path, other = other, path
			}
			r.fault(path, "takes the same socket as "+other, "choose another port or path for one")
			break
		}
	}
}

// checkHearing keeps the pages about disputes on this machine: they have no login, and show
// what requesters wrote for the operator alone.
func (r *reader) checkHearing(o Ops) {
	const disputes, at = "ops.disputes", "ops.address"
	if o.Disputes == HearingOff || o.Address == (Address{}) || !r.sound(disputes, at) {
		return
	}
	host, _, err := net.SplitHostPort(o.Address.Name)
	if ip, notIP := netip.ParseAddr(host); err != nil || notIP != nil || !ip.IsLoopback() {
		r.fault(disputes, "shows what is private to whoever reaches "+o.Address.Name+", without a login",
			"give ops.address a loopback address, and put a server with a login before it")
	}
}

// checkDelivery: the peer of an LMTP listener must be one of our relays, and where none is
// configured nobody could ever deliver. Behind a unix socket or systemd's stands our own host.
func (r *reader) checkDelivery(c *Config) {
	for i, l := range c.Listen {
		path := element("listen", i) + ".protocol"
		overTCP := strings.HasPrefix(l.Address.Network, "tcp")
		if l.LMTP && overTCP && len(c.Trust.Relays) == 0 && r.sound(path) {
			r.fault(path, "is lmtp, but there is no [[trust.relay]] that may deliver",
				"write a [[trust.relay]] for the server that does")
		}
	}
}

// checkFolders keeps what is ours out of the folder that rsync serves to everybody.
func (r *reader) checkFolders(c *Config) {
	r.checkServed(c, "zone.dir", filepath.Join(c.DataDir, "ledger.db"), "holds data_dir, and rsync serves it to everybody")
	for i, l := range c.Listen {
		if l.KeyFile != "" {
			r.checkServed(c, element("listen", i)+".key_file", l.KeyFile, served)
		}
	}
}

// served is what is wrong with a file of ours in the zone's folder.
const served = "lies in zone.dir, which rsync serves to everybody"

func (r *reader) checkServed(c *Config, path, ours, problem string) {
	if r.sound(path, "zone.dir", "data_dir") && within(c.Zone.Dir, ours) {
		r.fault(r.firstGiven(path, "zone.dir", "data_dir"), problem, "choose a folder for the zone alone")
	}
}

// within tells whether a path is that of a folder or of what lies in it, however they are spelled.
func within(folder, path string) bool {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return false
	}
	way, err := filepath.Rel(canonicalFolder(folder), Canonical(path))
	return err == nil && way != ".." && !strings.HasPrefix(way, ".."+string(filepath.Separator))
}

// checkPlaces keeps unix sockets from the names of files: of those that are there, and in our
// folders of all that may come.
func (r *reader) checkPlaces(c *Config) {
	for _, s := range r.sockets(c) {
		if s.address.Network != "unix" || !r.sound(s.path) {
			continue
		}
		r.checkServed(c, s.path, s.address.Name, served)
		r.checkPlace(c, s)
	}
}

func (r *reader) checkPlace(c *Config, s bound) {
	name := s.address.Name
	blame := r.firstGiven(s.path, "data_dir", "zone.dir")
	info, err := os.Lstat(name) // the daemon looks again, who may look everywhere
	switch {
	case !r.sound(s.path, "data_dir", "zone.dir"):
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		r.fault(blame, quoted(name)+" is there and is no socket",
			"give another path, or move away what is there")
	case within(c.DataDir, name) && filepath.Ext(name) != ".sock", within(c.Zone.Dir+".state", name):
		r.fault(blame, quoted(name)+" may become a file of ours",
			"in data_dir let the name end in .sock, or choose another folder")
	}
}

// checkRetention: the rules look back as far as max_age, and for repeats of a hit that old by
// repeat_window more. Evidence goes with its hit at the latest.
func (r *reader) checkRetention(c *Config) {
	const (
		hits, evidence = "retention.hits", "retention.evidence"
		age, repeat    = "criteria.max_age", "criteria.repeat_window"
	)
	back := c.Policy.MaxAge + c.Policy.RepeatWindow
	r.atLeast(c.Retention.Hits, back, "max_age and repeat_window together", hits, age, repeat)
	r.atLeast(c.Retention.Evidence, c.Policy.MaxAge, "max_age", evidence, age)
	r.atLeast(c.Retention.Hits, c.Retention.Evidence, evidence, hits, evidence)
}

func (r *reader) atLeast(kept, needed time.Duration, what, path string, others ...string) {
	paths := append([]string{path}, others...)
	if kept < needed && r.sound(paths...) {
		r.fault(r.firstGiven(paths...), "leaves "+path+" ("+short(kept)+") shorter than "+what,
			"give "+path+" at least "+short(needed))
	}
}
