package parser

import (
	"encoding/json"
	"net/netip"
	"sync"
	"time"
)

// Connection is what our own SMTP session knew. The zero value stands for mail that came without
// one (ingest, a reported message): then Trust.Hosts decides about the topmost Received line.
type Connection struct {
	Peer       netip.Addr // the client of our socket, or the one a trusted PROXY header declared
	Helo       string     // as the client said it
	MailFrom   string     // reverse path; "" is not known, unless NullSender says otherwise
	NullSender bool       // the reverse path was <>
	At         time.Time  // when we took the message; zero if nobody knows
}

// TrustedRelay is a network of hosts whose Received lines are believed.
type TrustedRelay struct {
	Network netip.Prefix
	By      []string // what they call themselves behind `by`; empty believes any name
}

// Trust is what the operator vouches for. It is read only, and may be shared.
type Trust struct {
	// Relays are walked past, where their lines are by one of their names.
	Relays []TrustedRelay
	// Hosts are the names by one of which the topmost line of mail without a connection must be.
	Hosts []string
	// Loopback says that nobody but content filters submits over loopback on trusted hosts.
	Loopback bool
	// LocalSubmission says that nobody submits as a user or program of a trusted host, but for
	// programs that hand on mail.
	LocalSubmission bool
}

// Hop is one host that handed the message on, as the host after it tells. Only IP, By and Trusted
// carry weight; the rest is what the line says.
type Hop struct {
	N         int        `json:"n"`
	WrittenBy string     `json:"written_by"` // "connection", an address, or the name of a host
	Format    string     `json:"format,omitempty"`
	IP        netip.Addr `json:"ip,omitzero"`
	RDNS      string     `json:"rdns,omitempty"`
	Helo      string     `json:"helo,omitempty"`
	By        string     `json:"by,omitempty"`
	With      string     `json:"with,omitempty"`
	ID        string     `json:"id,omitempty"`
	For       string     `json:"for,omitempty"`
	Time      time.Time  `json:"time,omitzero"`
	Trusted   bool       `json:"trusted"`
	Why       string     `json:"why,omitempty"`   // the walk went on or stopped here, if that is odd
	Notes     []string   `json:"notes,omitempty"` // what is odd about the line, from Annotate
}

// Trace is what Parse found. Its JSON form is the one of `trapline trace --json`.
type Trace struct {
	File    string     // for who read the message from a file to name it; Parse leaves it empty
	Source  netip.Addr // zero: nobody can be vouched for
	Reason  Reason     // why the walk stopped
	Cause   Cause
	Marks   []string  // what decided the cause
	Hops    []Hop     // hop 0 is the nearest
	Ignored int       // Received lines below the source, never believed
	Claims  []Hop     // what the topmost of them say, from Annotate
	Defects []string  // what is wrong with the header's bytes
	Time    time.Time // date of the topmost Received line, if believed and readable, in UTC
}

// MarshalJSON writes the fields in the order a reader wants them; the source is null if there is
// none.
func (t Trace) MarshalJSON() ([]byte, error) {
	form := struct {
		File    string      `json:"file,omitempty"`
		Source  *netip.Addr `json:"source"`
		Reason  Reason      `json:"reason"`
		Cause   Cause       `json:"cause"`
		Marks   []string    `json:"marks,omitempty"`
		Time    time.Time   `json:"time,omitzero"`
		Hops    []Hop       `json:"hops"`
		Ignored int         `json:"ignored"`
		Claims  []Hop       `json:"claims,omitempty"`
		Defects []string    `json:"defects,omitempty"`
	}{t.File, nil, t.Reason, t.Cause, t.Marks, t.Time, t.Hops, t.Ignored, t.Claims,
		t.Defects}
	if t.Source.IsValid() {
		form.Source = &t.Source
	}
	if form.Hops == nil {
		form.Hops = []Hop{}
	}
	return json.Marshal(form)
}

// walks are used again: each has room for what most messages need, and to get that anew for each
// message takes as long as to read it.
var walks = sync.Pool{New: func() any { return new(walk) }}

// Parse finds the source of a message and the cause it shows. It always gives an answer; t is only
// read.
func Parse(message []byte, c Connection, t Trust) Trace {
	w := walks.Get().(*walk)
	defer walks.Put(w)
	defer w.forget()
	w.trust = t
	w.header = scanHeader(message, w.fields[:0])
	w.lines.header = &w.header
	w.run(&c)
	w.trace.Defects = w.header.defects.names()
	w.trace.Cause, w.trace.Marks = causeOf(w, &c)
	return w.trace
}

// forget leaves nothing of the message but the room it took.
func (w *walk) forget() {
	tokens := w.line.tokens[:cap(w.line.tokens)]
	clear(tokens)
	*w = walk{line: line{tokens: tokens[:0]}}
}
