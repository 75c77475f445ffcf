package web

import (
	"net"
	"sync"

	"github.com/trapline/trapline/internal/rate"
)

// connectionsOfNetwork are what a /24 or /48 may hold at once, so that none takes those of all.
const connectionsOfNetwork = 32

// Listener closes at once what a network opens beyond its part of the connections. All of them
// together are for the listener beneath to bound. A proxy of ours has the connections of
// many, and a unix socket has no network: neither is bounded here.
func (s *Site) Listener(beneath net.Listener) net.Listener {
	return &door{Listener: beneath, site: s}
}

type door struct {
	net.Listener
	site *Site
	held rate.Held
}

// Accept waits for a connection that may stay.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := addrOf(c.RemoteAddr().String())
		if !peer.IsValid() || contains(d.site.cfg.Settings().TrustProxy, peer) {
			return c, nil
		}
		network := networkOf(peer)
		if d.held.Take(network, connectionsOfNetwork) {
			return &guest{Conn: c, leave: sync.OnceFunc(func() { d.held.Give(network) })}, nil
		}
		_ = c.Close() // nothing was said
	}
}

var _ net.Listener = (*door)(nil)

// guest is a connection that counts for its network.
type guest struct {
	net.Conn
	leave func()
}

// Close gives the place back before the peer can see the end, who may come again then.
func (g *guest) Close() error {
	g.leave()
	return g.Conn.Close()
}
