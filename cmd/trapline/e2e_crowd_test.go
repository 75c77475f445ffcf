package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// crowd is who comes to a trap on the open internet, all at once and for as long as its context
// lasts.
type crowd struct {
	*server
	ops    string // where metrics are
	ctx    context.Context
	leaves func() // ends ctx
	guests sync.WaitGroup

	mu     sync.Mutex // guards all below
	names  []string   // of messages that were answered 250
	took   []time.Duration
	visits map[string]int
	later  int              // told to come again: 4xx
	odd    map[string]error // by kind of guest: the first thing that must not happen
}

// guest is a kind of visitor. An error of its visit is something that must not happen.
type guest struct {
	name  string
	many  int           // at once
	every time.Duration // from the end of a visit to the next, on average
	visit func(*crowd) error
}

// goodGuests are senders as a trap wants them.
var goodGuests = []guest{
	{"keeps its connection", 6, 50 * time.Millisecond, (*crowd).bringTwenty},
	{"a connection a message", 6, 60 * time.Millisecond, (*crowd).bringOne},
	{"speaks TLS", 3, 100 * time.Millisecond, (*crowd).bringInTLS},
	{"comes directly", 1, 100 * time.Millisecond, (*crowd).bringDirectly},
	{"reports", 1, 300 * time.Millisecond, (*crowd).bringReport},
}

func newCrowd(ops string) *crowd {
	ctx, leave := context.WithCancel(context.Background())
	return &crowd{ops: ops, ctx: ctx, leaves: leave, visits: map[string]int{}, odd: map[string]error{}}
}

// come lets guests come until leave.
func (c *crowd) come(kinds []guest) {
	for _, g := range kinds {
		for range g.many {
			c.guests.Go(func() { c.host(g) })
		}
	}
}

func (c *crowd) leave() {
	c.leaves()
	c.guests.Wait()
}

func (c *crowd) host(g guest) {
	for c.pause(g.every/2 + rand.N(g.every)) {
		err := g.visit(c)
		c.mu.Lock()
		c.visits[g.name]++
		var refusal *textproto.Error
		switch {
		case err == nil || c.ctx.Err() != nil:
		case errors.As(err, &refusal) && refusal.Code/100 == 4:
			c.later++
		case c.odd[g.name] == nil:
			c.odd[g.name] = err
		}
		c.mu.Unlock()
	}
}

// pause tells whether there is time to go on afterwards.
func (c *crowd) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return c.ctx.Err() == nil
	case <-c.ctx.Done():
		return false
	}
}

// acknowledge notes a message that was answered 250, or 552 for its size: both are on disk.
func (c *crowd) acknowledge(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, name)
}

// wait notes how long a 250 took, from the end of its message.
func (c *crowd) wait(since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, time.Since(since))
}

// latencies gives the times of the 250 since the last call.
func (c *crowd) latencies() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	took := c.took
	c.took = nil
	return took
}

// caller is one connection of a guest.
type caller struct {
	*client
	raw   net.Conn
	crowd *crowd
}

// connect opens a connection and says what comes before all dialogue. Nothing a guest does may
// take longer than the daemon's own limits, and those are shorter than patience.
func (c *crowd) connect(address string, header []byte) (*caller, error) {
	raw, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	if _, err := raw.Write(header); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return &caller{newClient(raw), raw, c}, nil
}

// greet connects and goes as far as the answer to EHLO.
func (c *crowd) greet(address string, header []byte) (*caller, error) {
	call, err := c.connect(address, header)
	if err != nil {
		return nil, err
	}
	if _, _, err = call.ReadResponse(220); err == nil {
		err = call.say(250, "EHLO mail.sender.example")
	}
	if err != nil {
		return nil, errors.Join(err, call.Close())
	}
	return call, nil
}

// anySource is a sender's address: some often, most seldom, a few of IPv6.
func anySource() netip.AddrPort {
	n := rand.IntN(1 + rand.IntN(1+rand.IntN(20_000)))
	if n%10 == 9 {
		six := [16]byte{0x2a, 1, 5: byte(n >> 8), 6: byte(n), 15: 1}
		return netip.AddrPortFrom(netip.AddrFrom16(six), 40000)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{20, byte(n), byte(n >> 8), 1}), 40000)
}

// headerOf is the PROXY header of a version.
func headerOf(version byte, source netip.AddrPort) []byte {
	own := netip.MustParseAddrPort("192.0.2.1:25")
	if source.Addr().Is6() {
		own = netip.MustParseAddrPort("[2001:db8::1]:25")
	}
	h := proxyproto.HeaderProxyFromAddrs(version, net.TCPAddrFromAddrPort(source),
		net.TCPAddrFromAddrPort(own))
	var b bytes.Buffer
	_, _ = h.WriteTo(&b) // a buffer takes all
	return b.Bytes()
}

// deliver brings one message of a kind and waits for its 250.
func (c *caller) deliver(kind string) error {
	name := fmt.Sprintf("%s-%d", kind, rand.Uint64())
	if err := c.begin(name+"@sender.example", anyTrap()); err != nil {
		return err
	}
	begin := time.Now()
	if err := c.finish(name + strings.Repeat("\r\nand much more of it", rand.IntN(200))); err != nil {
		return err
	}
	c.crowd.wait(begin)
	c.crowd.acknowledge(name)
	return nil
}

func anyTrap() string { return fmt.Sprintf("trap%d@traps.example", rand.IntN(30)) }

// quit ends a session as it should be.
func (c *caller) quit() error { return errors.Join(c.say(221, "QUIT"), c.Close()) }

func (c *crowd) bringTwenty() error {
	call, err := c.greet(c.proxy, headerOf(1, anySource()))
	if err != nil {
		return err
	}
	for range 20 {
		if err := call.deliver("kept"); err != nil {
			return errors.Join(err, call.Close())
		}
		if !c.pause(rand.N(100 * time.Millisecond)) {
			break
		}
	}
	return call.quit()
}

func (c *crowd) bringOne() error {
	call, err := c.greet(c.proxy, headerOf(2, anySource()))
	if err != nil {
		return err
	}
	return errors.Join(call.deliver("one"), call.Close())
}

func (c *crowd) bringInTLS() error {
	call, err := c.greet(c.proxy, headerOf(2, anySource()))
	if err != nil {
		return err
	}
	if err := call.say(220, "STARTTLS"); err != nil {
		return errors.Join(err, call.Close())
	}
	secure := tls.Client(call.raw, &tls.Config{InsecureSkipVerify: true}) // as senders to an MX do
	call = &caller{newClient(secure), secure, c}
	if err := call.say(250, "EHLO mail.sender.example"); err != nil {
		return errors.Join(err, call.Close())
	}
	for range 3 {
		if err := call.deliver("tls"); err != nil {
			return errors.Join(err, call.Close())
		}
	}
	return call.quit()
}

func (c *crowd) bringDirectly() error {
	call, err := c.greet(c.mail, nil)
	if err != nil {
		return err
	}
	return errors.Join(call.deliver("direct"), call.quit())
}

// bringReport submits spam that the reporter's own host received.
func (c *crowd) bringReport() error {
	call, err := c.greet(c.proxy, headerOf(1, netip.MustParseAddrPort("203.0.113.5:40000")))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("report-%d", rand.Uint64())
	if err := call.begin(name+"@sender.example", "submit.k3j9@reports.example"); err != nil {
		return errors.Join(err, call.Close())
	}
	begin, source := time.Now(), anySource().Addr()
	if err := call.say(250, "%s.", reportOf(name, source, begin)); err != nil {
		return errors.Join(err, call.Close())
	}
	c.wait(begin)
	c.acknowledge(name)
	return call.quit()
}

func reportOf(name string, source netip.Addr, at time.Time) string {
	from := source.String()
	if source.Is6() {
		from = "IPv6:" + from
	}
	spam := fmt.Sprintf("Received: from x (x [%s])\r\n\tby mx1.corp.example (Postfix) with ESMTP "+
		"id 4F2A7\r\n\tfor <a@corp.example>; %s\r\nSubject: offer\r\n\r\nBuy %s.\r\n",
		from, at.UTC().Format(time.RFC1123Z), name)
	return "Subject: spam\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=frontier\r\n\r\n" +
		"--frontier\r\nContent-Type: message/rfc822\r\n\r\n" + spam + "\r\n--frontier--\r\n"
}

// total is how many visits there were, and what must not happen and did.
func (c *crowd) total() (visits int, odd []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.visits {
		visits += n
	}
	for name, err := range c.odd {
		odd = append(odd, name+": "+err.Error())
	}
	slices.Sort(odd)
	return visits, odd
}
