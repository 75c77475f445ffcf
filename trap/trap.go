// Package trap is the SMTP and LMTP front: it takes mail for traps and reporters from anybody.
//
// In come sockets: Serve accepts from a listener, reads a PROXY header where one is due, and
// holds the dialogue of RFC 5321 (or RFC 2033). Out go Messages: the envelope as the connection
// saw it and the head of the content, handed to a Sink, whose nil is the sender's 250. What
// happens besides goes to an Observer.
//
// The parts, from the wire inwards:
//
//	Server      accept loop, set of connections, shutdown
//	connection  one peer from accept to close: caps, PROXY header, deadlines
//	guard       the net.Conn that go-smtp sees: one command line at a time, our own words
//	session     go-smtp's back end: what is taken, what is refused
//	body        the bytes of DATA up to <CRLF>.<CRLF>
//
// Only the recipient decides. Any HELO or none, any reverse path, over-long lines and a wrong
// SIZE are taken, for they are what traps are there to see. go-smtp keeps the order of commands;
// it never sees a byte that a stranger chose, and none of its words reaches the wire.
//
// The package must never answer 250 for a message that its Sink has not stored, record anything
// of a message that was not read to its end, name a recipient or repeat a peer's bytes in a
// reply, give the address of a proxy as the source of a message, or send mail.
package trap

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"
)

// Outcomes of Sink.Accept and Config.Gate; wrapped ones count as well.
var (
	// ErrBusy says that the store is faulty or overloaded: the sender gets 451 4.3.0.
	ErrBusy = errors.New("store is busy")
	// ErrFull says that the disk is full or nearly so: the sender gets 452 4.3.1.
	ErrFull = errors.New("store is full")
)

// Sink takes finished messages, from many sessions at once.
//
// Accept returns nil when the message is on disk and only then. ErrBusy is answered 451 4.3.0,
// ErrFull 452 4.3.1 and any other error 451 4.3.0: the sender keeps the mail and comes again, so
// nothing of it may remain. The context ends when Shutdown cuts its sessions; Shutdown waits for
// Accept all the same. m.Head belongs to the session again when Accept returns.
type Sink interface {
	Accept(ctx context.Context, m *Message) error
}

// Settings are what a session reads once, at its start, and keeps; a reload gives new sessions
// new ones. They are never changed after they were handed out.
type Settings struct {
	Hostname string      // in the greeting and the answer to HELO
	LMTP     bool        // RFC 2033 instead of RFC 5321
	Persona  Persona     // whose words it uses; empty = Postfix
	TLS      *tls.Config // STARTTLS; nil = not offered
	// ProxyFrom are the peers that must open with a PROXY header; all others must not.
	ProxyFrom []netip.Prefix
	// Peers may connect to an LMTP server over TCP (behind a proxy: as the declared client);
	// nobody else may. Ignored with SMTP and on unix sockets, whose permissions decide.
	Peers     []netip.Prefix
	Directory *Directory // required
	Limits    Limits
}

// Config is what a Server is made of. Settings, Sink, Observer and Now are required.
type Config struct {
	// Settings are those of a listener, as it was given to Serve: asked once per connection.
	Settings func(net.Listener) *Settings
	Sink     Sink
	Observer Observer
	// Gate is asked at MAIL: ErrFull, ErrBusy or nil. A nil Gate is always open.
	Gate func() error
	// Now stamps messages and decides which traps rest. Socket deadlines follow the runtime's
	// own clock, the only one that they can follow.
	Now func() time.Time
	// Budget is shared by the servers of one process; nil gives this server its own.
	Budget *Budget
}

func (c *Config) check() error {
	switch {
	case c.Settings == nil:
		return errors.New("make trap server: no settings")
	case c.Sink == nil:
		return errors.New("make trap server: no sink")
	case c.Observer == nil:
		return errors.New("make trap server: no observer")
	case c.Now == nil:
		return errors.New("make trap server: no clock")
	}
	return nil
}
