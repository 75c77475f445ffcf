package zone

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/testpeer"
)

// daemon finds rbldnsd and a user it may run as: it refuses root, also by -u.
func daemon(t testing.TB) (path string, args []string) {
	t.Helper()
	return testpeer.Need(t, "rbldnsd", "rbldnsd"), testpeer.Unprivileged(t)
}

// openFolder gives a folder that another user may read, with the zone in it.
func openFolder(t testing.TB, zone []byte) string {
	t.Helper()
	base := testpeer.OpenFolder(t)
	if zone != nil {
		if err := os.WriteFile(filepath.Join(base, "bl.example"), zone, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return base
}

// server is a running rbldnsd.
type server struct {
	testing.TB
	address string
	stderr  *bytes.Buffer
}

// serve starts rbldnsd on a folder and waits until it answers.
func serve(t testing.TB, dir string, options ...string) *server {
	t.Helper()
	path, args := daemon(t)
	s := &server{TB: t, address: fmt.Sprintf("127.0.0.1:%d", testpeer.Port(t)), stderr: new(bytes.Buffer)}
	args = append(append(args, options...), "-n", "-w", dir,
		"-b", strings.Replace(s.address, ":", "/", 1), "bl.example:combined:bl.example")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = s.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	deadline := time.Now().Add(20 * time.Second)
	for {
		r, err := s.exchange("bl.example.", dns.TypeSOA)
		if err == nil && r.Rcode != dns.RcodeRefused { // by somebody else's server
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("rbldnsd does not answer: %s", s.stderr)
		}
	}
}

func (s *server) exchange(name string, kind uint16) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(name, kind)
	c := dns.Client{Timeout: time.Second}
	r, _, err := c.Exchange(m, s.address)
	return r, err
}

// ask gives the answers to a question about an address: none is "NXDOMAIN".
func (s *server) ask(a string, kind uint16) []string {
	s.Helper()
	return s.askName(reversed(netip.MustParseAddr(a))+"bl.example.", kind)
}

func (s *server) askName(name string, kind uint16) []string {
	s.Helper()
	r, err := s.exchange(name, kind)
	if err != nil {
		s.Fatal(err)
	}
	if r.Rcode != dns.RcodeSuccess {
		return []string{dns.RcodeToString[r.Rcode]}
	}
	var answers []string
	for _, rr := range r.Answer {
		answers = append(answers, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	return answers
}

// reversed is the name below a list's origin (RFC 5782, sections 2.1 and 2.4).
func reversed(a netip.Addr) string {
	name, err := dns.ReverseAddr(a.String())
	if err != nil {
		panic(err)
	}
	if a.Is4In6() {
		parts := strings.Split(fmt.Sprintf("%x", a.As16()), "")
		slices.Reverse(parts)
		return strings.Join(parts, ".") + "."
	}
	return strings.TrimSuffix(strings.TrimSuffix(name, "in-addr.arpa."), "ip6.arpa.")
}

func TestRbldnsdAnswers(t *testing.T) {
	now := criteria.At(time.Now())
	list := sample()
	dir := openFolder(t, Render(header(), list, 77, now))
	s := serve(t, dir)
	text := func(a string) []string {
		return []string{`"Listed, see https://bl.example/ip/` + a + `"`}
	}
	none := []string{"NXDOMAIN"}
	for _, c := range []struct {
		name, address string
		answer        string
	}{
		{"listed", "9.0.0.1", "127.0.0.2"},
		{"its neighbour", "9.0.0.2", ""},
		{"backscatter", "192.0.2.99", "127.0.0.3"},
		{"the operator's network", "198.51.100.200", "127.0.0.4"},
		{"beside it", "198.51.101.0", ""},
		{"listed /64", "2001:db8:1:2:3:4:5:6", "127.0.0.2"},
		{"first of the /64", "2001:db8:1:2::", "127.0.0.2"},
		{"neighbour above", "2001:db8:1:3::", ""},
		{"neighbour below", "2001:db8:1:1:ffff:ffff:ffff:ffff", ""},
		{"one IPv6 address", "2001:db8:5::1", "127.0.0.4"},
		{"beside the address", "2001:db8:5::2", ""},
		{"excepted within a listed /64", "2001:db8:9:0:4000::1", ""},
		{"before the exception", "2001:db8:9:0:3fff::1", "127.0.0.2"},
		{"after the exception", "2001:db8:9:0:8000::1", "127.0.0.2"},
		{"test entry", "127.0.0.2", "127.0.0.2"},
		{"never listed", "127.0.0.1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantA, wantTXT := none, none
			if c.answer != "" {
				wantA, wantTXT = []string{c.answer}, text(c.address)
			}
			same(t, "A", s.ask(c.address, dns.TypeA), wantA)
			same(t, "TXT", s.ask(c.address, dns.TypeTXT), wantTXT)
		})
	}
	same(t, "A of ::ffff:7f00:2", s.ask("::ffff:7f00:2", dns.TypeA), []string{"127.0.0.2"})
	same(t, "TXT of ::ffff:7f00:2", s.ask("::ffff:7f00:2", dns.TypeTXT), text("127.0.0.2"))
	same(t, "A of ::ffff:7f00:1", s.ask("::ffff:7f00:1", dns.TypeA), none)
	same(t, "TXT of ::ffff:7f00:1", s.ask("::ffff:7f00:1", dns.TypeTXT), none)
	same(t, "SOA", s.askName("bl.example.", dns.TypeSOA),
		[]string{"mx.example. hostmaster.mx.example. 77 3600 900 604800 60"})
	ns := s.askName("bl.example.", dns.TypeNS)
	slices.Sort(ns)
	same(t, "NS", ns, []string{"mx.example.", "ns2.example."})
	r, err := s.exchange(reversed(netip.MustParseAddr("9.0.0.1"))+"bl.example.", dns.TypeA)
	if err != nil || r.Answer[0].Header().Ttl != 300 {
		t.Errorf("ttl of %v, %v", r, err)
	}
}

// warnings loads a zone as an operator would check it, and gives what rbldnsd says about it.
func warnings(t testing.TB, zone []byte) (dump, stderr string, err error) {
	t.Helper()
	path, args := daemon(t)
	var out, complaint bytes.Buffer
	cmd := exec.Command(path, append(args, "-w", openFolder(t, zone), "-d",
		"-b", fmt.Sprintf("127.0.0.1/%d", testpeer.Port(t)), "bl.example:combined:bl.example")...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err = cmd.Run()
	return out.String(), complaint.String(), err
}

// TestRbldnsdLoadsWithoutWarning: its return code is 0 whatever it skips, so its words count.
func TestRbldnsdLoadsWithoutWarning(t *testing.T) {
	now := criteria.At(time.Now())
	noEnd := header()
	noEnd.ValidFor, noEnd.Text, noEnd.NegativeTTL = 0, "", 0
	bounds := Header{Origin: "bl.example", NS: []string{"a.example"}, Contact: "b.example",
		TTL:         maxTTL,
		NegativeTTL: maxTTL, ValidFor: maxValid, Text: "5 $$; #1 \"quoted\" \\ a=b : c, $"}
	for _, c := range []struct {
		name   string
		header Header
		list   []criteria.Listing
	}{
		{"every kind of entry", header(), sample()},
		{"an empty list", header(), nil},
		{"no end, no text", noEnd, sample()},
		{"values at their bounds", bounds, sample()},
		{"widest networks", header(), spam("198.51.100.0/24", "2001:db8::/48")},
		{"thousands", header(), many(0, 5000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dump, said, err := warnings(t, Render(c.header, c.list, 77, now))
			if err != nil || said != "" || !strings.Contains(dump, "2.0.0.127") {
				t.Errorf("rbldnsd: %v, says %q", err, said)
			}
		})
	}
}

// TestRbldnsdText: what a header may hold arrives as it was meant.
func TestRbldnsdText(t *testing.T) {
	now := criteria.At(time.Now())
	for _, c := range []struct{ name, text, address, want string }{
		{"address", "see https://bl.example/ip/$", "9.0.0.1", "see https://bl.example/ip/9.0.0.1"},
		{"dollar", "5 $$ for $", "9.0.0.1", "5 $ for 9.0.0.1"},
		{"comment signs", "a # b ; c", "9.0.0.1", "a # b ; c"},
		{"longest", strings.Repeat("a", 215) + "$", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
			strings.Repeat("a", 215) + "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"none", "", "9.0.0.1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := header()
			h.Text = c.text
			if err := h.Check(); err != nil {
				t.Fatal(err)
			}
			list := spam("9.0.0.1", "2001:db8:ffff:ffff::/64")
			s := serve(t, openFolder(t, Render(h, list, 77, now)))
			got, err := s.exchange(reversed(netip.MustParseAddr(c.address))+"bl.example.", dns.TypeTXT)
			if err != nil || got.Rcode != dns.RcodeSuccess {
				t.Fatalf("%v, %v", got, err)
			}
			var texts []string
			for _, rr := range got.Answer {
				texts = append(texts, strings.Join(rr.(*dns.TXT).Txt, ""))
			}
			if got := strings.Join(texts, "|"); got != c.want {
				t.Errorf("text %q, want %q", got, c.want)
			}
		})
	}
}

// TestRbldnsdRefusesByStamp: a copy that nobody renews falls silent, and a mirror's clock may be
// behind ours by the stamp's age but by no more.
func TestRbldnsdRefusesByStamp(t *testing.T) {
	now := criteria.At(time.Now())
	for _, c := range []struct {
		name  string
		at    criteria.Second
		loads bool
	}{
		{"now", now, true},
		{"a clock four minutes behind", now + 240, true},
		{"a clock six minutes behind", now + 360, false},
		{"nearly two days old", now - 47*3600, true},
		{"two days old", now - 48*3600, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, said, _ := warnings(t, Render(header(), sample(), 77, c.at))
			if (said == "") != c.loads {
				t.Errorf("rbldnsd says %q, want it to load: %v", said, c.loads)
			}
		})
	}
}

// TestRbldnsdGuardsTheRange: should a wide network ever get in, $MAXRANGE4 keeps it out in both the
// head and the dataset.
func TestRbldnsdGuardsTheRange(t *testing.T) {
	zone := bytes.Replace(Render(header(), sample(), 77, criteria.At(time.Now())),
		[]byte("9.0.0.1\n"), []byte("10.0.0.0/8\n9.0.0.1\n"), 1)
	dump, said, _ := warnings(t, zone)
	if !strings.Contains(said, "too large range") || strings.Contains(dump, "*.10\t") {
		t.Errorf("rbldnsd says %q", said)
	}
}

// TestRbldnsdSeesAPublication: the running daemon takes over what Publisher wrote, though both
// publications may have come within one second.
func TestRbldnsdSeesAPublication(t *testing.T) {
	base := openFolder(t, nil)
	p, err := New(Config{
		Dir: filepath.Join(base, "zone"), StateDir: filepath.Join(base, "state"), Header: header(),
		Keep: 2, Guard: Guard{Floor: 1000}, Now: time.Now, Special: special,
	})
	if err != nil {
		t.Fatal(err)
	}
	publish := func(list []criteria.Listing) {
		if _, err := p.Publish(of(Snapshot{Listings: list})); err != nil {
			t.Fatal(err)
		}
	}
	lasting := spam("9.0.0.1", "9.0.0.2")
	for i := range lasting {
		lasting[i].Until = criteria.Never
	}
	publish(lasting[:1])
	s := serve(t, filepath.Join(base, "zone"), "-c", "1s")
	publish(lasting[1:])
	deadline := time.Now().Add(15 * time.Second)
	for s.ask("9.0.0.2", dns.TypeA)[0] != "127.0.0.2" {
		if time.Now().After(deadline) {
			t.Fatal(errors.New("rbldnsd still serves the zone before: " + s.stderr.String()))
		}
	}
	same(t, "A", s.ask("9.0.0.1", dns.TypeA), []string{"NXDOMAIN"})
}
