package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

// scripted is the program as scripts run it: its name server is $NAMESERVER, or nobody, and its own
// address is 192.0.2.1.
func scripted() {
	ask := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (
		net.Conn, error) {
		server := os.Getenv("NAMESERVER")
		if server == "" {
			return nil, errors.New("there is no network in scripts")
		}
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
	own := func() []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.1")} }
	os.Exit(program(os.Args[1:], ask, own))
}

// serveNames is the command dns: it serves the records of a file, in the form of a zone, at
// $NAMESERVER until the script ends. All other names do not exist.
func serveNames(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: dns FILE")
	}
	records := map[dns.Question][]dns.RR{}
	zone := dns.NewZoneParser(strings.NewReader(ts.ReadFile(args[0])), ".", args[0])
	for rr, more := zone.Next(); more; rr, more = zone.Next() {
		h := rr.Header()
		q := dns.Question{Name: h.Name, Qtype: h.Rrtype, Qclass: h.Class}
		records[q] = append(records[q], rr)
	}
	ts.Check(zone.Err())
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	server := &dns.Server{PacketConn: socket, Handler: dns.HandlerFunc(func(w dns.ResponseWriter,
		q *dns.Msg) {
		reply := new(dns.Msg).SetReply(q)
		if reply.Answer = records[q.Question[0]]; reply.Answer == nil {
			reply.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(reply) // whoever asked asks again
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.ActivateAndServe() // until its socket is closed
	}()
	ts.Defer(func() {
		_ = socket.Close() // ends the server also where it has not begun
		<-ended
	})
	ts.Setenv("NAMESERVER", socket.LocalAddr().String())
}
