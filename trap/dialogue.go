package trap

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/emersion/go-smtp"
)

// converse holds the dialogue of one connection and returns when it is over. It has a go-smtp
// server to itself: settings belong to a session, not to a listener, and the server's WaitGroup
// then tells when the last goroutine of the session is gone.
func converse(c *connection) {
	h := &handover{guards: make(chan *guard, 1), addr: c.leash.raw.LocalAddr()}
	server := smtp.NewServer(smtp.BackendFunc(newSession))
	server.LMTP = c.settings.LMTP
	server.MaxLineLength = 0 // guard and session own all limits
	server.ErrorLog = faults{c.server.config.Observer}
	h.hand(newGuard(c, &socket{c.leash.raw, &c.leash}, h))
	_ = server.Serve(h)                       // io.EOF once the last guard has hung up
	_ = server.Shutdown(context.Background()) // nothing to close: waits for its goroutine
}

// handover is the listener of one connection: it yields the guard, after STARTTLS the next one,
// and ends when a guard closes the connection. The guard that owns the connection is the sender.
type handover struct {
	guards chan *guard // holds one: a guard is accepted before it can make another
	addr   net.Addr
}

// Accept returns the next guard, or io.EOF when the connection is over.
func (h *handover) Accept() (net.Conn, error) {
	if g, ok := <-h.guards; ok {
		return g, nil
	}
	return nil, io.EOF
}

// Addr returns our end of the connection.
func (h *handover) Addr() net.Addr { return h.addr }

// Close does nothing: it is hangUp that ends it.
func (h *handover) Close() error { return nil }

func (h *handover) hand(g *guard) { h.guards <- g }
func (h *handover) hangUp()       { close(h.guards) }

// faults makes an event of what go-smtp would log: a panic that it caught.
type faults struct{ observer Observer }

// Printf tells the observer.
func (f faults) Printf(format string, v ...any) {
	f.observer.Fault("session", fmt.Sprintf(format, v...))
}

// Println tells the observer.
func (f faults) Println(v ...any) { f.observer.Fault("session", fmt.Sprintln(v...)) }
