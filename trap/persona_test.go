package trap

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// scene is one connection of testdata/persona/script.txt.
type scene struct {
	name, why string
	lines     []string
}

// exchange is a command and the reply to it, its lines joined by |.
type exchange struct{ sent, heard string }

// scenes reads the script.
func scenes(t *testing.T) []scene {
	t.Helper()
	text, err := os.ReadFile("testdata/persona/script.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []scene
	for part := range strings.SplitSeq("\n"+string(text), "\n== ") {
		name, rest, _ := strings.Cut(strings.TrimSuffix(part, "\n"), "\n")
		if strings.HasPrefix(name, "#") || len(all) == 0 && name == "" {
			continue
		}
		s := scene{name: name}
		if why, lines, ok := strings.Cut(rest, "\n"); ok && strings.HasPrefix(why, "why: ") {
			s.why, rest = strings.TrimPrefix(why, "why: "), lines
		}
		s.lines = strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
		all = append(all, s)
	}
	return all
}

// probe is a peer that writes down what it hears.
type probe struct {
	*client
	heard []exchange
}

// hear takes the reply to what was sent.
func (p *probe) hear(t *testing.T, sent string) string {
	t.Helper()
	reply := p.reply(t)
	p.heard = append(p.heard, exchange{sent, plainly(reply)})
	return reply
}

// changing are the parts of replies that are never the same twice, each with its right shape.
var changing = []struct {
	shape *regexp.Regexp
	name  string
}{
	{regexp.MustCompile(`queued as [0-9A-F]{10,12}$`), "queued as (id)"},
	{regexp.MustCompile(`id=1[0-9A-Za-z]{5}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}$`), "id=(id)"},
	{regexp.MustCompile(`(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z]{2} 20[0-9]{2} ` +
		`[0-9]{2}:[0-9]{2}:[0-9]{2} [-+][0-9]{4}$`), "(date)"},
}

// plainly puts names in the place of what changes.
func plainly(reply string) string {
	for _, c := range changing {
		reply = c.shape.ReplaceAllString(reply, c.name)
	}
	return strings.ReplaceAll(reply, strings.Repeat("x", 80), "")
}

// play holds the dialogue of a scene with a server, and returns what was heard until it was over
// or the server hung up.
func (s scene) play(t *testing.T, address string, secure bool) []exchange {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := &probe{client: newClient(t, conn)}
	if p.hear(t, "(connects)"); secure {
		p.encrypt(t)
	}
	content := false
	for _, line := range s.lines {
		if line == "STARTTLS" && !secure {
			continue
		}
		if line != "(silence)" {
			_, _ = io.WriteString(p, sentAs(line)) // to one who hung up it may fail: see what is heard
		}
		if content && line != "." {
			continue
		}
		reply := p.hear(t, line)
		if !regexp.MustCompile(`^[0-9]{3}[ -]`).MatchString(reply) {
			p.heard = p.heard[:len(p.heard)-1]
			p.heard[len(p.heard)-1].heard += " (and hangs up)"
			break
		}
		content = strings.HasPrefix(reply, "354 ")
	}
	return p.heard
}

// encrypt goes over to TLS, which the trap's persona may say in its own way.
func (p *probe) encrypt(t *testing.T) {
	t.Helper()
	for _, line := range []string{"EHLO probe.example", "STARTTLS"} {
		p.send(t, line+"\r\n")
		p.hear(t, line)
	}
	conn := tls.Client(p.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.client = newClient(t, conn)
}

// sentAs is a line of the script as it is sent.
func sentAs(line string) string {
	line = strings.NewReplacer("LONG", strings.Repeat("x", 5000), `\001`, "\x01", `\002`, "\x02",
		"BIG", strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1000)).Replace(line)
	return line + "\r\n"
}

// impostor starts a trap with a persona, and the limits that the servers it is compared with have.
func impostor(t *testing.T, p Persona) *stand {
	t.Helper()
	s := newStand(t, func(c *Config, s *Settings) {
		withTLS(t)(c, s)
		s.Persona = p
		s.Limits = Limits{MessageBytes: 20_000, Recipients: 3, CommandTimeout: time.Second}
		c.Now = time.Now
		directory, err := NewDirectory([]Rule{{Address: "x@traps.example", Class: Trap},
			{Address: "y@traps.example", Class: Trap}})
		if err != nil {
			t.Fatal(err)
		}
		s.Directory = directory
	})
	return s
}

// different is a reply that tells a trap from the server that it imitates.
type different struct{ sent, real, ours, why string }

// resembles: the same words to another command tell no more.
func (d different) resembles(other different) bool {
	return d.real == other.real && d.ours == other.ours
}

// reason is why we need not say what a real server does.
func (s scene) reason(real string) string {
	if strings.Contains(real, " Hello probe.example [") {
		return "no reply repeats what was said, and HELP is not offered: it is promised to be 502"
	}
	return s.why
}

// contrast compares two dialogues of a scene, until one hangs up.
func (s scene) contrast(real, ours []exchange) []different {
	var found []different
	for i := range max(len(real), len(ours)) {
		if i == len(real) || i == len(ours) {
			break // the difference was in hanging up, and was found
		}
		if real[i].heard != ours[i].heard {
			found = append(found, different{ours[i].sent, real[i].heard, ours[i].heard,
				s.reason(real[i].heard)})
		}
	}
	return found
}

// compare plays all scenes with a trap and checks that what it says otherwise than real is what
// docs/persona.md says, with a reason for each; what real says is a function of the scene.
func compare(t *testing.T, p Persona, real func(scene, bool) []exchange) {
	t.Helper()
	s := impostor(t, p)
	var all []different
	for _, secure := range []bool{false, true} {
		for _, scene := range scenes(t) {
			found := scene.contrast(real(scene, secure), scene.play(t, s.address, secure))
			for _, d := range found {
				if d.why == "" {
					t.Errorf("%s (TLS %v): %s\n is answered %s\nwhere we answer %s, for no reason",
						scene.name, secure, d.sent, d.real, d.ours)
				}
				if !slices.ContainsFunc(all, d.resembles) {
					all = append(all, d)
				}
			}
		}
	}
	checkDocument(t, string(p), tableOf(all))
}

// tableOf renders differences for people.
func tableOf(all []different) string {
	var b strings.Builder
	for _, d := range all {
		fmt.Fprintf(&b, "> %s\nreal: %s\nours: %s\nwhy:  %s\n\n", d.sent, d.real, d.ours, d.why)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// checkDocument compares the block of docs/persona.md that begins with "```NAME".
func checkDocument(t *testing.T, name, want string) {
	t.Helper()
	const path = "../docs/persona.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), "\n```"+name+"\n")
	got, after, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatalf("%s has no block for %s", path, name)
	}
	if *update {
		text := before + "\n```" + name + "\n" + want + "```\n" + after
		err = errors.Join(err, os.WriteFile(path, []byte(text), 0o644))
	} else if got != want {
		t.Errorf("%s and what was heard differ, see -update: it says\n%s\nheard was\n%s", path, got,
			want)
	}
	if err != nil {
		t.Fatal(err)
	}
}
