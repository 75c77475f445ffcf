package trap

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

// connection is one peer from accept to close. One goroutine at a time owns it: its own, and
// between Accept and Close of a guard the one that go-smtp runs for that guard.
type connection struct {
	server   *Server
	settings Settings // of this session, its limits complete
	leash    leash
	envelope Envelope // what is known before the dialogue
	voice    *voice
	nameless bool // came through a proxy that names no client: nothing may be recorded
	spool    *spool

	started  time.Time
	process  int             // that would serve the session if it were a process; see spool
	queueID  string          // of the last message taken
	patience int             // what is left of it; a message taken restores it
	told     map[string]bool // kinds of abuse that the observer knows of
	commands int
	messages int
	bytes    int64
	why      string // the session ended; the first reason stays
}

// entry is where a connection came in.
type entry struct {
	listener string
	settings Settings
	spool    *spool // of the listener
}

func newConnection(s *Server, raw net.Conn, by entry) *connection {
	c := &connection{
		server:   s,
		settings: by.settings,
		spool:    by.spool,
		started:  time.Now(),
		patience: patience,
		told:     make(map[string]bool),
	}
	c.settings.Limits = c.settings.Limits.orDefaults()
	c.voice, c.process = c.settings.Persona.voice(), c.spool.start()
	c.leash.raw = raw
	c.leash.ends = c.started.Add(c.settings.Limits.SessionTimeout)
	_, unix := raw.RemoteAddr().(*net.UnixAddr)
	c.envelope = Envelope{
		Peer:     addrPort(raw.RemoteAddr()),
		Local:    unix,
		Listener: by.listener,
		Hostname: c.settings.Hostname,
	}
	c.nameless = !unix && !c.envelope.Peer.IsValid()
	return c
}

func (c *connection) peer() netip.Addr { return c.envelope.Peer.Addr() }

// run takes the connection through its life. When it returns, the socket is closed and no
// goroutine of the connection is left.
func (c *connection) run() {
	defer c.leash.raw.Close()
	limits, budget := c.settings.Limits, c.server.budget
	if !budget.connect(limits.Connections) {
		c.turnAway(whyConnections, replyConnections)
		return
	}
	defer budget.disconnect()
	if within(c.settings.ProxyFrom, c.peer()) && !c.meetProxy() {
		c.server.config.Observer.ConnectionRefused(c.peer(), whyProxyHeader)
		return // in silence: whatever it is, it does not speak our language
	}
	if peer := c.peer(); peer.IsValid() {
		if why := budget.enter(peer, limits, c.started); why != "" {
			c.turnAway(why, replyConnections)
			return
		}
		defer budget.leave(peer)
	}
	if c.settings.LMTP && !c.envelope.Local && !within(c.settings.Peers, c.peer()) {
		c.turnAway(whyPeer, replyNotServed)
		return
	}
	if talksAlready(c.leash.raw) {
		c.abuse(abuseEarly)
	}
	converse(c)
	c.server.config.Observer.SessionEnded(c.peer(), c.why, c.commands, c.messages, c.bytes,
		time.Since(c.started))
}

// survive keeps a panic before or behind the dialogue from ending more than the connection.
func (c *connection) survive() {
	if fault := recover(); fault != nil {
		c.server.config.Observer.Fault("session", fmt.Sprint(fault))
	}
}

// meetProxy puts the declared client in the place of the proxy.
func (c *connection) meetProxy() bool {
	if !c.leash.arm(min(proxyTimeout, c.settings.Limits.CommandTimeout)) {
		return false
	}
	client, err := readProxy(c.leash.raw)
	if err != nil {
		return false
	}
	c.envelope.Proxy = c.peer()
	c.envelope.Peer = client
	c.nameless = !client.IsValid()
	return true
}

// turnAway answers and ends a connection whose dialogue never begins.
func (c *connection) turnAway(why string, r reply) {
	c.server.config.Observer.ConnectionRefused(c.peer(), why)
	_ = c.leash.raw.SetWriteDeadline(time.Now().Add(parting))
	_, _ = c.leash.raw.Write(c.say(nil, r)) // a courtesy; there is nobody to tell if it fails
}

// end notes why the session ends. What follows from the first reason is no reason.
func (c *connection) end(why string) {
	if c.why == "" {
		c.why = why
	}
}

// endWith notes the end that go-smtp brings about by itself: QUIT, or a panic that it caught.
func (c *connection) endWith(code int) {
	switch code {
	case 221:
		c.end(endQuit)
	case 421:
		c.end(endFault)
	}
}

// abuse tells the observer of each kind once.
func (c *connection) abuse(kind string) {
	if !c.told[kind] {
		c.told[kind] = true
		c.server.config.Observer.ProtocolAbuse(c.peer(), kind)
	}
}

// hasHadEnough: the session has brought all the bytes that it may.
func (c *connection) hasHadEnough() bool { return c.bytes > c.settings.Limits.SessionBytes }

// tolerate pays for a reply out of the session's patience; false when it is used up.
func (c *connection) tolerate(r reply) bool {
	c.patience -= r.cost()
	return c.patience > 0
}
