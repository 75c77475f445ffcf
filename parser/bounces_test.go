package parser

import (
	"os"
	"path/filepath"
	"testing"
)

// minAgreement is how many of the classes of real bounces must be ours.
const minAgreement = 0.97

// classed is a line of the corpus' manifest of bounces.
type classed struct{ File, Class string }

// causesOfClass are the causes that agree with a class of the manifest. An abuse report and a read
// receipt are answers by machines; the classes that are not here are neither bounce nor answer.
var causesOfClass = map[string]Cause{
	"dsn": Bounce, "mbox-of-dsn": Bounce, "arf": Autoreply, "mdn": Autoreply, "autoreply": Autoreply,
}

// agrees tells whether a cause is what the class asks for.
func (c classed) agrees(cause Cause) bool {
	if want, ok := causesOfClass[c.Class]; ok {
		return cause == want
	}
	return cause != Bounce && cause != Autoreply
}

// envelope gives the connection over which a file of the corpus may have come. Its reverse path is
// the one that was written down on delivery, in Return-Path or in the mbox line; of a file without
// either it is null if the class is one of those that the standards give the null reverse path.
func (c classed) envelope(message []byte) Connection {
	h := scanHeader(message, nil)
	s := senderOf(&h, &Connection{})
	if _, answer := causesOfClass[c.Class]; answer && s.path == "" {
		s.null = true
	}
	return Connection{Peer: peer, MailFrom: s.path, NullSender: s.null}
}

// dissent is a bounce that the manifest and we class otherwise.
type dissent struct{ File, Class, Ours, Right, Why string }

// TestBounces holds our causes against the manifest of real bounces, answers and abuse reports. All
// disagreements are listed and explained, and none is listed that is no more.
func TestBounces(t *testing.T) {
	const list = "testdata/bounces-disagreements.jsonl"
	known := map[string]dissent{}
	for _, d := range readLines[dissent](t, list) {
		if _, twice := known[d.File]; twice || len(d.Why) < 20 ||
			d.Right != "ours" && d.Right != "manifest" {
			t.Errorf("%s: a bad entry, or a second one: %+v", list, d)
		}
		known[d.File] = d
	}
	all, agreed := 0, 0
	counts := map[string]map[Cause]int{}
	for _, c := range readLines[classed](t, corpus(t, "bounces/manifest.jsonl")) {
		message := readFile(t, corpus(t, "bounces/"+c.File))
		got := Parse(message, c.envelope(message), Trust{})
		all++
		if counts[c.Class] == nil {
			counts[c.Class] = map[Cause]int{}
		}
		counts[c.Class][got.Cause]++
		d, listed := known[c.File]
		delete(known, c.File)
		switch {
		case c.agrees(got.Cause):
			agreed++
			if listed {
				t.Errorf("%s: agrees: take it off %s", c.File, list)
			}
		case !listed:
			t.Errorf("%s: cause %s %v, class %s", c.File, got.Cause, got.Marks, c.Class)
		case d.Class != c.Class || d.Ours != got.Cause.String():
			t.Errorf("%s: cause %s, class %s; listed as %+v", c.File, got.Cause, c.Class, d)
		}
	}
	for file := range known {
		t.Errorf("%s: names %s, which the manifest does not", list, file)
	}
	t.Logf("%d of %d agree; causes by class: %v", agreed, all, counts)
	if float64(agreed) < minAgreement*float64(all) {
		t.Errorf("%d of %d agree, want %g of them", agreed, all, minAgreement)
	}
}

// TestBackscatterInMail: of all the spam and other mail of the corpus, what is classed as a bounce
// or an answer is one. Not even a null reverse path makes the rest look like it.
func TestBackscatterInMail(t *testing.T) {
	type entry struct{ File, Cause, Why string }
	known := map[string]entry{}
	for _, e := range readLines[entry](t, "testdata/backscatter.jsonl") {
		if len(e.Why) < 20 {
			t.Errorf("%s is not explained", e.File)
		}
		known[e.File] = e
	}
	all, found := 0, map[string]bool{}
	for _, dir := range []string{"spam", "ham"} {
		paths, err := filepath.Glob(corpus(t, dir) + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			all++
			message, file := readFile(t, path), dir+"/"+filepath.Base(path)
			asItCame := classed{Class: dir}.envelope(message)
			for _, c := range []Connection{{}, asItCame, {Peer: peer, NullSender: true}} {
				got := Parse(message, c, Trust{})
				if got.Cause != Bounce && got.Cause != Autoreply {
					continue
				}
				found[file] = true
				if known[file].Cause != got.Cause.String() {
					t.Errorf("%s, null %t: %s %v", file, c.NullSender, got.Cause, got.Marks)
				}
			}
		}
	}
	for file := range known {
		if !found[file] {
			t.Errorf("%s is listed, but neither a bounce nor an answer", file)
		}
	}
	t.Logf("%d messages, bounces and answers among them: %d", all, len(found))
	if all < 358 {
		t.Errorf("%d messages, want 358", all)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	message, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return message
}
