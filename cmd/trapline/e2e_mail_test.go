package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"time"
)

// client is one SMTP session with the daemon, as if from a source: the PROXY header says so.
type client struct {
	*textproto.Conn
}

func newClient(conn net.Conn) *client { return &client{textproto.NewConn(conn)} }

// dial greets. An error is all that goes wrong: clients run while the daemon is killed.
func dial(proxy string, source netip.Addr) (*client, error) {
	conn, err := net.DialTimeout("tcp", proxy, patience)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	family, own := "TCP4", "127.0.0.1"
	if source.Is6() {
		family, own = "TCP6", "::1"
	}
	c := newClient(conn)
	if err := c.PrintfLine("PROXY %s %s %s 40000 25", family, source, own); err != nil {
		return nil, err
	}
	if _, _, err := c.ReadResponse(220); err != nil {
		return nil, err
	}
	return c, c.say(250, "EHLO mail.sender.example")
}

// leave ends the session as most spammers do: what counts was answered before.
func (c *client) leave() { _ = c.Close() }

// say sends a line and reads the reply, which must have the code.
func (c *client) say(code int, format string, args ...any) error {
	if err := c.PrintfLine(format, args...); err != nil {
		return err
	}
	_, _, err := c.ReadResponse(code)
	return err
}

// begin goes as far as the reply to DATA.
func (c *client) begin(from, to string) error {
	for _, step := range []struct {
		code int
		line string
	}{
		{250, "MAIL FROM:<" + from + ">"}, {250, "RCPT TO:<" + to + ">"}, {354, "DATA"},
	} {
		if err := c.say(step.code, "%s", step.line); err != nil {
			return err
		}
	}
	return nil
}

// finish sends a message and its end. A nil error is the 250.
func (c *client) finish(about string) error {
	return c.say(250, "Subject: about %s\r\nFrom: a@sender.example\r\n\r\nBuy %s.\r\n.", about, about)
}

// send brings one message. The name is its reverse path and makes its content unlike any other's.
func (c *client) send(name, to string) error {
	if err := c.begin(name+"@sender.example", to); err != nil {
		return err
	}
	return c.finish(name)
}

// bring sends one message from a source in a session of its own.
func (d *server) bring(source, name, to string) error {
	c, err := dial(d.proxy, netip.MustParseAddr(source))
	if err != nil {
		return err
	}
	defer c.leave()
	if err := c.send(name, to); err != nil {
		return err
	}
	return c.say(221, "QUIT")
}

// blame makes a source listed: two messages to two traps.
func (d *server) blame(source string) {
	d.Helper()
	for _, to := range []string{"one@traps.example", "two@traps.example"} {
		name := fmt.Sprintf("blame-%d", time.Now().UnixNano())
		if err := d.bring(source, name, to); err != nil {
			d.Fatalf("bring mail to %s: %v", to, err)
		}
	}
}
