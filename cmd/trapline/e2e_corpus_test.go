package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/admin"
)

// wantCorpus is what the corpus of real spam comes to. The digest is of a line for each message,
// its file and source. When it was taken, a plain search for bracketed addresses in the line that
// showed the source agreed for all of them, and 22 chains were read through, one of each shape.
const wantCorpus = `messages: 300
all-trusted: 1
no-trusted-start: 1
untrusted-peer: 298
sources: 264
listed: 11
digest: 09077a56822f7066
`

// testCorpus: real spam from real mailboxes is ingested, and nearly all of it has a source.
func testCorpus(t *testing.T, binary string) {
	folder := corpus(t)
	trust, err := os.ReadFile("../../testdata/e2e/corpus.toml")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, binary, string(trust))
	s.serve()
	ingest := []string{"ingest", "--trap", "old.sales@traps.example", folder}
	lines := records[ingestLine](s, ingest...)
	first := records[admin.Hit](s, "hits", "--limit", "0")
	if got := resultOf(s, lines, first); got != wantCorpus {
		t.Error(gocmp.Diff(wantCorpus, got))
	}
	s.tell(ingest...)
	both := records[admin.Hit](s, "hits", "--limit", "0")
	if len(both) != 2*len(first) {
		t.Errorf("%d hits after ingesting twice, want %d", len(both), 2*len(first))
	}
	if once, twice := scored(s, first), scored(s, both); once != twice {
		t.Error("ingesting twice counts twice: ", gocmp.Diff(once, twice))
	}
}

// corpus finds the folder of real spam beside the project.
func corpus(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		folder := filepath.Join(dir, "../shared/corpus/spam")
		if _, err := os.Stat(folder); err == nil {
			return folder
		}
	}
	t.Skip("needs ../shared/corpus beside the project")
	return ""
}

// resultOf is everything about the corpus that must not change by accident.
func resultOf(s *site, lines []ingestLine, hits []admin.Hit) string {
	s.Helper()
	reasons, sources, digest := map[string]int{}, map[string]bool{}, sha256.New()
	slices.SortFunc(lines, func(a, b ingestLine) int { return cmp.Compare(a.File, b.File) })
	for _, l := range lines {
		reasons[l.Reason]++
		source := "-"
		if l.Source != nil {
			source = l.Source.String()
			sources[source] = true
		}
		fmt.Fprintln(digest, filepath.Base(l.File), source)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "messages: %d\n", len(hits))
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(&out, "%s: %d\n", reason, reasons[reason])
	}
	fmt.Fprintf(&out, "sources: %d\nlisted: %d\ndigest: %x\n", len(sources),
		strings.Count(scored(s, hits), `"listed":true`), digest.Sum(nil)[:8])
	return out.String()
}

// scored is what the hits came to at the end of the year in which most of them were received, by
// rules that remember a year and take what one trap says.
func scored(s *site, hits []admin.Hit) string {
	s.Helper()
	var in bytes.Buffer
	encode := json.NewEncoder(&in)
	for _, h := range slices.Backward(hits) {
		if h.Source == nil {
			continue
		}
		err := encode.Encode(map[string]any{"time": h.Time, "source": h.Source, "kind": h.Kind,
			"trap": h.Traps[0], "weight": 1, "cause": h.Cause, "digest": h.Digest})
		if err != nil {
			s.Fatal(err)
		}
	}
	args := []string{"criteria", "score", "--json", "--at", "2003-01-01T00:00:00Z"}
	for _, key := range []string{"fresh_window", "max_age", "delist_after", "delist_after_few"} {
		args = append(args, "--set", key+"=8760h")
	}
	cmd := s.command(append(args, "--set", "min_traps=1", "-")...)
	cmd.Args = slices.DeleteFunc(cmd.Args, func(arg string) bool {
		return arg == "--config" || arg == s.path("trapline.toml")
	})
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		s.Fatal(err)
	}
	return string(out)
}

// testIngestAgain: what was ingested before counts once, and again only where that is asked for.
func testIngestAgain(t *testing.T, binary string) {
	s := newSite(t, binary, "[trust]\nhosts = [\"mx.corp.example\"]\n")
	s.serve()
	text := fmt.Sprintf("Received: from x (unknown [198.51.100.7]) by mx.corp.example (Postfix)\r\n"+
		"\twith ESMTP id 4F0; %s\r\nSubject: offer\r\n\r\nBuy.\r\n", time.Now().Format(time.RFC1123Z))
	if err := os.WriteFile(s.path("one.eml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ingest := []string{"ingest", "--trap", "one@traps.example", s.path("one.eml")}
	for _, step := range []struct {
		args []string
		want int
	}{
		{ingest, 1}, {ingest, 1}, {append(ingest, "--again"), 2},
	} {
		s.tell(step.args...)
		if got := countedOf(s, "198.51.100.7"); got != step.want {
			t.Errorf("%v: %d reports count, want %d", step.args, got, step.want)
		}
	}
}

// countedOf is how many reports of a source count.
func countedOf(s *site, source string) int {
	s.Helper()
	r := s.run("lookup", source, "--json")
	var l admin.Lookup
	if err := json.Unmarshal([]byte(r.out), &l); err != nil {
		s.Fatalf("lookup says %+v: %v", r, err)
	}
	return len(l.Terms)
}
