package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// stand is the servers, side by side.
type stand struct {
	options options
	peers   []peer
	serial  atomic.Uint64 // of messages
}

// scenario is a way in which mail comes.
type scenario struct {
	kept, secure bool
	sessions     int
}

// String names the connections, the wire and the sessions.
func (s scenario) String() string {
	return fmt.Sprintf("%s %s %d", s.connection(), s.wire(), s.sessions)
}

func (s scenario) connection() string {
	if s.kept {
		return "kept"
	}
	return "a message"
}

func (s scenario) wire() string {
	if s.secure {
		return "STARTTLS"
	}
	return "clear"
}

// result is what one run came to.
type result struct {
	rate float64 // messages a second
	cpu  float64 // of the server, µs a message
}

// runs are the results of a peer in a scenario, in the order of the rounds.
type runs map[scenario]map[string][]result

// newStand starts the servers. Peers that are not installed are left out, and said to be.
func newStand(o options) (*stand, error) {
	s := &stand{options: o}
	if err := s.open(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stand) open() error {
	dir := s.options.inside
	if err := os.Chmod(dir, 0o755); err != nil { // Postfix runs as somebody else
		return err
	}
	certificate := filepath.Join(dir, "cert.pem")
	if err := makeCertificate(certificate); err != nil {
		return fmt.Errorf("make certificate: %w", err)
	}
	host := netip.MustParsePrefix(network).Addr().Next()
	if _, err := freePort(host); err != nil { // it is ours in namespaces of our own
		host = netip.MustParseAddr("127.0.0.1")
	}
	for i, name := range append(s.options.binaries, s.options.servers...) {
		p := place{dir: filepath.Join(dir, fmt.Sprint(i)), certificate: certificate}
		if err := os.Mkdir(p.dir, 0o755); err != nil {
			return err
		}
		if err := s.start(name, p, host); err != nil {
			return err
		}
	}
	return nil
}

func (s *stand) start(name string, p place, host netip.Addr) (err error) {
	if p.address, err = freePort(host); err != nil {
		return err
	}
	peer, err := startPeer(name, p)
	if errors.Is(err, errAbsent) {
		fmt.Fprintln(os.Stderr, "left out:", err)
		return nil
	}
	if err != nil {
		return err
	}
	s.peers = append(s.peers, peer)
	if err := peer.ready(); err != nil {
		said, _ := os.ReadFile(p.path("log"))
		return fmt.Errorf("start %s: %w\n%s", name, err, said)
	}
	return nil
}

// ready waits until the server accepts.
func (p *peer) ready() error {
	for waited := time.Duration(0); waited < patience; waited += pause {
		conn, err := net.Dial("tcp", p.address.String())
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.process.ended:
			return errors.New("it has ended")
		case <-time.After(pause):
		}
	}
	return errors.New("it accepts no connection")
}

const pause = 20 * time.Millisecond

// close ends the servers.
func (s *stand) close() {
	for _, p := range s.peers {
		p.process.stop()
	}
}

// scenarios are all ways, the plainest first.
func (o options) scenarios() []scenario {
	var all []scenario
	for _, secure := range []bool{false, true} {
		if secure && o.client == source {
			continue // it cannot
		}
		for _, kept := range []bool{false, true} {
			for _, n := range o.sessions {
				if scene := (scenario{kept, secure, n}); strings.Contains(scene.String(), o.only) {
					all = append(all, scene)
				}
			}
		}
	}
	return all
}

// measureAll measures in rounds, and in each scenario of a round the servers by turns: what disturbs
// the machine for a while disturbs neighbours alike. A first, short round is for warming up.
func (s *stand) measureAll(ctx context.Context) (runs, error) {
	all := runs{}
	for round := range s.options.rounds + 1 {
		length := s.options.length
		if round == 0 {
			length = warmUp
		}
		for _, scene := range s.options.scenarios() {
			if all[scene] == nil {
				all[scene] = map[string][]result{}
			}
			for _, p := range s.peers {
				if scene.secure && !p.secure {
					continue
				}
				r, err := s.measure(ctx, p, scene, length)
				if err != nil {
					return nil, fmt.Errorf("measure %s: %w", p.name, err)
				}
				if round > 0 {
					all[scene][p.name] = append(all[scene][p.name], r)
				}
			}
		}
	}
	return all, nil
}

const warmUp = 200 * time.Millisecond

// measure is one run at one server.
func (s *stand) measure(
	ctx context.Context, p peer, scene scenario, length time.Duration,
) (result, error) {
	before, err := cpu(p.process.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	l := load{to: p.address, sessions: scene.sessions, kept: scene.kept, secure: scene.secure,
		length: length, serial: &s.serial}
	bring := l.bring
	if s.options.client == source {
		bring = l.bringBySource
	}
	taken, took, err := bring(ctx)
	if err != nil {
		return result{}, err
	}
	after, err := p.process.settled(ctx)
	if err != nil {
		return result{}, err
	}
	return result{rate: float64(taken) / took.Seconds(),
		cpu: float64((after - before).Microseconds()) / float64(taken)}, nil
}
