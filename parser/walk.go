package parser

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/trapline/trapline/internal/address"
)

// Notes for people about odd hops.
const (
	noteQueued     = "queued by this host; its next line tells the peer"
	noteLoopback   = "loopback, vouched for"
	noteLocal      = "a user or program of this host"
	noteHidden     = "shows no peer"
	noteFetched    = "fetched from this mailbox server, which sent nothing: name it as a relay"
	noteUnreadable = "fits no grammar, or can be read in two ways"
	noteWrongBy    = "by none of the names of the host that should have written it"
)

// Who wrote a hop down, where that is no address and no name.
const (
	connected = "connection" // our own session
	stranger  = "unknown"    // nobody can tell
)

// maxShown bounds the sender's words in a Hop, in bytes.
const maxShown = 256

// usualHops is the room that a chain of hops begins with.
const usualHops = 8

// walk goes from what is certain down the Received lines, one believed line at a time. All it
// knows of the next line is which host must have written it.
type walk struct {
	trust  Trust
	lines  cursor
	writer writer
	lowest reading // of the line that showed the source
	dated  bool    // a line was believed
	trace  Trace

	header header
	fields [64]field // room for the fields of an ordinary header
	line   line      // each in turn
	roll   roll      // what the hops say
}

// writer is the host that must have written the next line: a relay that is known by its address,
// or, without an address, one of Trust.Hosts.
type writer struct {
	ip       netip.Addr
	name     string // as its last line said
	believed bool   // it is certain: our connection or a believed line led to it
	loopback bool   // it took the message from itself, by a filter that may say `by localhost`
	queue    bool   // its queue wrote a line of its own just above
}

// cursor goes through the Received lines of a header. A copy goes its own way.
type cursor struct {
	header *header
	next   int // field at which to look on
	read   int // lines read
}

// line gives the next Received line, and whether there is one.
func (c *cursor) line() ([]byte, bool) {
	for c.next < len(c.header.fields) {
		f := &c.header.fields[c.next]
		c.next++
		if equal(c.header.of(f.name), "Received") {
			c.read++
			return c.header.of(f.value), true
		}
	}
	return nil, false
}

// left counts the lines that are still to come.
func (c cursor) left() int {
	before := c.read
	for ok := true; ok; {
		_, ok = c.line()
	}
	return c.read - before
}

// run walks until it can say why it stopped.
func (w *walk) run(c *Connection) {
	if c.Peer.IsValid() && !w.connect(c) {
		return
	}
	w.trace.Hops = slices.Grow(w.trace.Hops, min(w.lines.left(), usualHops))
	for {
		value, ok := w.lines.line()
		if !ok {
			w.end()
			return
		}
		if !w.step(value) {
			return
		}
	}
}

// connect takes the peer of our own session as hop 0 and tells whether to walk past it. Only here
// a relay may be at a loopback address: in lines, loopback is another host's.
func (w *walk) connect(c *Connection) bool {
	ip := address.Unwrap(c.Peer)
	w.trace.Hops = append(w.trace.Hops,
		Hop{WrittenBy: connected, IP: ip, Helo: cutShown(c.Helo), Time: c.At})
	w.writer.believed = true
	if w.isRelay(ip) {
		return w.passTo(ip)
	}
	return w.meet(ip)
}

// step reads one line and tells whether to go on. A host's queue may write a line without a name of
// its own: it stands where only that host could put it, and says nothing but that more is to come.
func (w *walk) step(value []byte) bool {
	if !w.line.lex(w.roll.unfold(value)) {
		return w.unreadable(&reading{})
	}
	r, readable := w.line.read()
	fromQueue := readable && (r.grammar == &qmailQueue || r.grammar == &googleQueue)
	switch {
	case fromQueue && !w.writer.queue && (w.writer.believed || r.client.origin == queued):
		return w.enter(&r)
	case r.clauses.by == "" && !readable, fromQueue:
		return w.unreadable(&r)
	case !w.wrote(r.clauses.by):
		return w.wrongBy(&r)
	case !readable:
		return w.unreadable(&r)
	}
	w.writer.believed = true
	return w.enter(&r)
}

// wrote tells whether the host that must have written the line goes by that name.
func (w *walk) wrote(by string) bool {
	if w.writer.loopback && (sameName(by, "localhost") || sameName(by, "localhost.localdomain")) {
		return true
	}
	if !w.writer.ip.IsValid() {
		return isAmong(by, w.trust.Hosts)
	}
	for i := range w.trust.Relays {
		relay := &w.trust.Relays[i]
		if relay.Network.Contains(w.writer.ip) &&
			(len(relay.By) == 0 || isAmong(by, relay.By)) {
			return true
		}
	}
	return false
}

// enter takes a believed line as a hop and goes on with the client it shows.
func (w *walk) enter(r *reading) bool {
	hop := w.hop(r)
	hop.Time = parseDate(w.line.date())
	w.writer.name, w.writer.loopback, w.writer.queue = "", false, false
	if r.client.origin != queued { // of that the next line tells client, name and date
		hop.IP, w.writer.name = r.client.ip, hop.By
		if !w.dated {
			w.dated, w.trace.Time = true, hop.Time
		}
	}
	w.trace.Hops = append(w.trace.Hops, hop)
	switch {
	case r.client.origin == queued:
		w.writer.queue = true
		return w.pass(noteQueued)
	case r.client.origin == local && w.trust.LocalSubmission:
		return w.pass(noteLocal)
	case r.client.origin == local:
		return w.stop(LocalSubmission, noteLocal)
	case !r.client.ip.IsValid():
		return w.stop(UnreadableReceived, noteHidden)
	case !r.client.ip.IsLoopback() && w.isRelay(r.client.ip):
		return w.passTo(r.client.ip)
	case r.client.origin == mailbox && !(r.client.ip.IsLoopback() && w.trust.Loopback):
		return w.stop(UnreadableReceived, noteFetched)
	}
	w.lowest = *r
	return w.meet(r.client.ip)
}

// meet goes on with a client that is no relay: past the host's own loopback if the operator
// vouches for it, else it is the source or nobody.
func (w *walk) meet(ip netip.Addr) bool {
	switch {
	case ip.IsLoopback() && w.trust.Loopback:
		w.writer.loopback = true
		return w.pass(noteLoopback)
	case address.Special(ip):
		return w.stop(SpecialAddress, "")
	}
	w.trace.Source = ip
	return w.stop(UntrustedPeer, "")
}

// passTo walks past the last hop to the relay it shows.
func (w *walk) passTo(ip netip.Addr) bool {
	w.writer = writer{ip: ip, believed: true}
	return w.pass("")
}

// pass walks past the last hop.
func (w *walk) pass(why string) bool {
	last := &w.trace.Hops[len(w.trace.Hops)-1]
	last.Trusted, last.Why = true, why
	return true
}

// stop ends the walk at the last hop.
func (w *walk) stop(why Reason, note string) bool {
	w.trace.Reason, w.trace.Hops[len(w.trace.Hops)-1].Why = why, note
	w.trace.Ignored = w.lines.left()
	return false
}

// end is the end of a chain that never left the trusted hosts.
func (w *walk) end() {
	switch {
	case w.lines.read == 0:
		w.trace.Reason = NoReceived
	case !w.writer.believed:
		w.trace.Reason = NoTrustedStart
	default:
		w.trace.Reason = AllTrusted
	}
}

// unreadable ends the walk at a line that the right host wrote, as far as anybody can tell.
func (w *walk) unreadable(r *reading) bool {
	if !w.writer.believed && !w.wrote(r.clauses.by) {
		return w.wrongBy(r)
	}
	w.trace.Hops = append(w.trace.Hops, w.hop(r))
	return w.stop(UnreadableReceived, noteUnreadable)
}

// wrongBy ends the walk at a line that the right host did not write: it is shown, not believed.
func (w *walk) wrongBy(r *reading) bool {
	why := WrongBy
	if !w.writer.believed {
		why = NoTrustedStart
	}
	hop := w.hop(r)
	hop.WrittenBy = stranger
	w.trace.Hops = append(w.trace.Hops, hop)
	w.stop(why, noteWrongBy)
	w.trace.Ignored++
	return false
}

// hop writes down what a line says, and who must have written it.
func (w *walk) hop(r *reading) Hop {
	hop := r.hop()
	hop.N, hop.WrittenBy = len(w.trace.Hops), w.writer.name
	switch {
	case w.writer.ip.IsValid():
		hop.WrittenBy = w.roll.text(w.writer.ip)
	case hop.WrittenBy == "":
		hop.WrittenBy = hop.By
	}
	return hop
}

// hop is what a line says, but for the address and the date.
func (r *reading) hop() Hop {
	hop := Hop{By: cutShown(r.clauses.by), With: cutShown(r.clauses.how)}
	if r.grammar != nil {
		hop.Format = r.grammar.name
	}
	hop.RDNS, hop.Helo = cutShown(r.client.rdns), cutShown(r.client.helo)
	hop.ID, hop.For = cutShown(r.clauses.clause("id")), cutShown(r.clauses.clause("for"))
	return hop
}

// isRelay tells whether an address is one of the operator's relays.
func (w *walk) isRelay(ip netip.Addr) bool {
	for i := range w.trust.Relays {
		if w.trust.Relays[i].Network.Contains(ip) {
			return true
		}
	}
	return false
}

func isAmong(name string, names []string) bool {
	for _, n := range names {
		if sameName(name, n) {
			return true
		}
	}
	return false
}

// sameName compares host names: letters in any case, with or without the final dot. No name is
// the same as none.
func sameName(a, b string) bool {
	a, b = strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")
	return a != "" && equal(a, b)
}

func cutShown(s string) string { return s[:min(len(s), maxShown)] }
