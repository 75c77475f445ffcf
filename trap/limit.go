package trap

import "time"

// Limits bound what one peer and all peers together can take from us. A field that is zero or
// negative has the value that DefaultLimits gives it: there is no unlimited.
type Limits struct {
	Connections           int // at once, all listeners of one Budget together
	ConnectionsPerIP      int // at once from one IPv4 address or IPv6 /64
	ConnectionsPerNetwork int // at once from one IPv4 /24 or IPv6 /48

	// What may be begun in a minute: a minute's worth at once, then at this rate. Per address
	// as above; per network where it says so.
	ConnectionsPerMinute           int
	ConnectionsPerMinutePerNetwork int
	MessagesPerMinute              int

	MessageBytes   int64         // a message of exactly this size is still taken
	SessionBytes   int64         // read in one session; a message begun within them may end
	Recipients     int           // in one transaction
	SessionTimeout time.Duration // from accept to close, whatever happens
	CommandTimeout time.Duration // for one command line, one handshake, one reply
	DataTimeout    time.Duration // for the content of one message
	MemoryBytes    int64         // of message content held at once, all sessions together
}

// Relations of the defaults, so that whoever raises one limit need not know of the next: a network
// has the places of twenty addresses, a place may be taken anew a hundred times a second, ten messages may come
// in that second, and a session may bring ten messages of the largest size (of 1 MiB at least).
const (
	addressesPerNetwork = 20
	turnsPerMinute      = 6000
	messagesPerTurn     = 10
	messagesPerSession  = 10
)

// DefaultLimits returns limits that are safe on the open internet. They are generous to a single
// peer, because a trap is there to be sent mail.
func DefaultLimits() Limits { return Limits{}.orDefaults() }

func (l Limits) orDefaults() Limits {
	l.Connections = positive(l.Connections, 2000)
	l.ConnectionsPerIP = positive(l.ConnectionsPerIP, 20)
	l.ConnectionsPerNetwork = positive(l.ConnectionsPerNetwork,
		addressesPerNetwork*l.ConnectionsPerIP)
	l.ConnectionsPerMinute = positive(l.ConnectionsPerMinute, turnsPerMinute*l.ConnectionsPerIP)
	l.ConnectionsPerMinutePerNetwork = positive(l.ConnectionsPerMinutePerNetwork,
		turnsPerMinute*l.ConnectionsPerNetwork)
	l.MessagesPerMinute = positive(l.MessagesPerMinute, messagesPerTurn*l.ConnectionsPerMinute)
	l.MessageBytes = positive(l.MessageBytes, 10<<20)
	l.SessionBytes = positive(l.SessionBytes, messagesPerSession*max(l.MessageBytes, 1<<20))
	l.Recipients = positive(l.Recipients, 100)
	l.SessionTimeout = positive(l.SessionTimeout, 10*time.Minute)
	l.CommandTimeout = positive(l.CommandTimeout, time.Minute)
	l.DataTimeout = positive(l.DataTimeout, 5*time.Minute)
	l.MemoryBytes = positive(l.MemoryBytes, 256<<20)
	return l
}

func positive[N ~int | ~int64](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// Fixed bounds that no operator needs to turn.
const (
	headBytes     = 256 << 10 // kept of a message; a reporter's is kept whole
	lineBytes     = 2048      // of a command line; RFC 5321 section 4.5.3.1.4 asks for 512
	contentBytes  = 16 << 10  // of content that are read at once
	proxyTimeout  = 10 * time.Second
	parting       = time.Second // for the last reply of a session that is cut or at its end
	patience      = 10_000      // what a session may cost us between two messages taken
	costOfError   = 500         // a command that is none of ours: twenty of them end the session
	costOfCommand = 10          // any other answer: a thousand without a message end it
	costOfRefusal = 1           // of a recipient
	mostWaiting   = 100         // messages that wait for memory; more are told at MAIL to come later
)
