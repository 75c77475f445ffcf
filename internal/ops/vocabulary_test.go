package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// telling is how each method of Events is called with words of somebody's choice.
type telling map[string]func(e *Events, word string)

// tellings are all methods that tell something, each with every line that it may write.
func tellings() telling {
	peer := netip.MustParseAddr("198.51.100.7")
	return telling{
		"Started":  func(e *Events, w string) { e.Started(w, w, []string{w}, w) },
		"Stopping": func(e *Events, w string) { e.Stopping(w) },
		"Stopped": func(e *Events, w string) {
			e.Stopped(nil)
			e.Stopped(errors.New(w))
		},
		"Reloaded":          func(e *Events, _ string) { e.Reloaded(7, 1, 2, 3) },
		"ReloadFailed":      func(e *Events, w string) { e.ReloadFailed(errors.New(w)) },
		"ConfigChanged":     func(e *Events, w string) { e.ConfigChanged(w, 1, 2, 3, []string{w}) },
		"ConnectionRefused": func(e *Events, w string) { e.ConnectionRefused(peer, w) },
		"SessionEnded":      func(e *Events, w string) { e.SessionEnded(peer, w, 5, 1, 100, time.Second) },
		"RecipientRefused":  func(e *Events, w string) { e.RecipientRefused(peer, w) },
		"MessageTaken":      func(e *Events, w string) { e.MessageTaken(peer, w, 1, 100, time.Second) },
		"MessageNotTaken": func(e *Events, w string) {
			e.MessageNotTaken(peer, w)
			e.MessageNotTaken(peer, "rate")
		},
		"TLSFailed":        func(e *Events, w string) { e.TLSFailed(peer, w) },
		"ProtocolAbuse":    func(e *Events, w string) { e.ProtocolAbuse(peer, w) },
		"Fault":            func(e *Events, w string) { e.Fault(w, w) },
		"Recorded":         func(e *Events, w string) { e.Recorded(w, w, w, w) },
		"ReportRefused":    func(e *Events, w string) { e.ReportRefused(w) },
		"HitsMissing":      func(e *Events, _ string) { e.HitsMissing(6, 10) },
		"Migrated":         func(e *Events, w string) { e.Migrated(1, 2, w) },
		"EvidenceDropped":  func(e *Events, w string) { e.EvidenceDropped(w, 10) },
		"EvidenceStays":    func(e *Events, w string) { e.EvidenceStays(w, errors.New(w)) },
		"SnapshotUnusable": func(e *Events, w string) { e.SnapshotUnusable(errors.New(w)) },
		"CaughtUp":         func(e *Events, _ string) { e.CaughtUp(1, 2, 3) },
		"ListChanged": func(e *Events, w string) {
			e.ListChanged(w, "", w, w)
			e.ListChanged(w, w, w, w)
			e.ListChanged(w, w, "", w)
		},
		"CertificateStays": func(e *Events, w string) { e.CertificateStays(w, errors.New(w)) },
		"Stalled":          func(e *Events, w string) { e.Stalled(w) },
		"JudgeStopped":     func(e *Events, w string) { e.JudgeStopped(errors.New(w)) },
		"Rewritten":        func(e *Events, w string) { e.Rewritten(2, w, w, 1, 2, 3) },
		"ZonePublished":    func(e *Events, _ string) { e.ZonePublished(1, 2, 1, 0) },
		"ZoneHeld":         func(e *Events, _ string) { e.ZoneHeld(5, 1) },
		"ZoneOrdered": func(e *Events, w string) {
			e.ZoneOrdered(w, 1, 2, w)
			e.ZoneOrdered("", 0, 0, "")
		},
		"DisputeStep":   func(e *Events, w string) { e.DisputeStep(w, w, w, w) },
		"PageFailed":    func(e *Events, w string) { e.PageFailed(errors.New(w)) },
		"DisputeFailed": func(e *Events, w string) { e.DisputeFailed(errors.New(w)) },
		"ZoneFaults":    func(e *Events, w string) { e.ZoneFaults(w) },
		"ZoneFailed":    func(e *Events, w string) { e.ZoneFailed(errors.New(w)) },
	}
}

// silent are the methods that tell nothing.
var silent = []string{"Watch", "Handler", "LogTo"}

// TestTellings: the table has every method, so a new one cannot be forgotten.
func TestTellings(t *testing.T) {
	var methods []string
	for m := range reflect.TypeFor[*Events]().Methods() {
		methods = append(methods, m.Name)
	}
	known := slices.Clone(silent)
	for name := range tellings() {
		known = append(known, name)
	}
	slices.Sort(known)
	if diff := cmp.Diff(known, methods); diff != "" {
		t.Errorf("tellings and methods differ:\n%s", diff)
	}
}

// entry is what is documented or seen of an event.
type entry struct{ Levels, Keys []string }

// TestVocabulary: docs/logs.md has every event, its levels and its keys, and nothing else.
func TestVocabulary(t *testing.T) {
	seen := map[string]entry{"left-out": {[]string{"any"}, []string{"lines", "of", "why"}}}
	for _, tell := range tellings() {
		for _, line := range linesOf(t, func(e *Events) { tell(e, "word") }) {
			name := line["event"].(string)
			one := seen[name]
			one.Levels = append(one.Levels, line["level"].(string))
			for key := range line {
				if key != "event" && key != "level" {
					one.Keys = append(one.Keys, key)
				}
			}
			seen[name] = one
		}
	}
	for name, one := range seen {
		for _, list := range []*[]string{&one.Levels, &one.Keys} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
		seen[name] = one
	}
	if diff := cmp.Diff(documented(t), seen); diff != "" {
		t.Errorf("docs/logs.md (-) and what is printed (+) differ:\n%s", diff)
	}
}

// documented reads the tables of docs/logs.md.
func documented(t *testing.T) map[string]entry {
	t.Helper()
	text, err := os.ReadFile("../../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile("`([^`]+)`")
	all := map[string]entry{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		var one entry
		one.Levels = strings.Split(strings.TrimSpace(cells[2]), ", ")
		for _, key := range word.FindAllStringSubmatch(cells[3], -1) {
			one.Keys = append(one.Keys, key[1])
		}
		slices.Sort(one.Levels)
		slices.Sort(one.Keys)
		all[strings.Trim(cells[1], " `")] = one
	}
	return all
}

// linesOf gives what is logged.
func linesOf(t *testing.T, tell func(*Events)) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	tell(New(zerolog.New(&out)))
	return linesIn(t, out.Bytes())
}

func linesIn(t *testing.T, text []byte) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range bytes.Lines(text) {
		var one map[string]any
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// hostile words: ends of lines, terminal commands, turned writing, bytes that are no text, an end
// of the object, and a lot of it.
var hostile = []string{"a\r\nb", "\x1b]0;title\a\x1b[2J", "\u202egpj.exe", "\x9b31m\u009b31m\xff\xfe",
	`","event":"started","x":"`, "x=y event=started", "\x00", strings.Repeat("é", 5000)}

// TestHostileWords: whatever a word is, it makes one line, of bounded length and printed characters
// only, and neither another event nor another key; in JSON and for people.
func TestHostileWords(t *testing.T) {
	for name, tell := range tellings() {
		plain := linesOf(t, func(e *Events) { tell(e, "word") })
		var lines, console bytes.Buffer
		e := New(zerolog.New(&lines))
		people := New(zerolog.New(zerolog.ConsoleWriter{Out: &console, NoColor: true}))
		for _, word := range hostile {
			lines.Reset()
			console.Reset()
			tell(e, word)
			tell(people, word)
			checkJSON(t, name, plain, linesIn(t, lines.Bytes()))
			checkText(t, name, lines.String(), len(plain))
			checkText(t, name, console.String(), len(plain))
		}
	}
}

func checkJSON(t *testing.T, name string, want, got []map[string]any) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%s: %d lines, want %d", name, len(got), len(want))
	}
	for i := range want {
		if want[i]["event"] != got[i]["event"] || len(want[i]) != len(got[i]) {
			t.Errorf("%s: %v, want the event and the keys of %v", name, got[i], want[i])
		}
	}
}

func checkText(t *testing.T, name, text string, lines int) {
	t.Helper()
	if n := strings.Count(text, "\n"); n != lines {
		t.Errorf("%s: %d lines, want %d: %q", name, n, lines, text)
	}
	if len(text) > lines*10*mostForeign {
		t.Errorf("%s: %d bytes", name, len(text))
	}
	if clean := clean(text); len(text) < mostForeign && clean != text {
		t.Errorf("%s: not all of it is printed: %q", name, text)
	}
}

func FuzzClean(f *testing.F) {
	for _, word := range hostile {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		got := clean(word)
		if len(got) > mostForeign+len(`\U0010ffff`)+1 {
			t.Errorf("%d bytes", len(got))
		}
		if again := clean(got); len(got) < mostForeign && again != got {
			t.Errorf("%q becomes %q", got, again)
		}
	})
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                   "plain",
		"Grüße, 世界":               "Grüße, 世界",
		"two\nlines":              "two\nlines",
		"a\tb":                    `a\tb`,
		"\x1b[2J":                 `\x1b[2J`,
		"\u202eexe":               `\u202eexe`,
		"\xff\x80":                `\xff\x80`,
		strings.Repeat("x", 2001): strings.Repeat("x", 2000) + "~",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
