package daemon

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/internal/dispute"
	"github.com/trapline/trapline/internal/notice"
	"github.com/trapline/trapline/internal/ops"
	"github.com/trapline/trapline/internal/testpeer"
	"github.com/trapline/trapline/internal/web"
	"github.com/trapline/trapline/store"
)

// hearing is a daemon without doors: its store, its judge and its clerk.
type hearing struct {
	testing.TB
	*Daemon
	*clock
	dir string
	log *bytes.Buffer
	dns map[string][]string
}

func newHearing(t testing.TB) *hearing {
	t.Helper()
	h := &hearing{TB: t, clock: new(clock), dir: t.TempDir(), log: new(bytes.Buffer),
		dns: map[string][]string{}}
	h.forward(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC).Sub(time.Unix(0, 0)))
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// start opens the parts that hear disputes, in the order of a daemon.
func (h *hearing) start() {
	h.Helper()
	c, err := config.Parse("trapline.toml", fmt.Appendf(nil, text, h.dir, ""))
	if err != nil {
		h.Fatal(err)
	}
	h.Daemon = &Daemon{options: Options{Events: ops.New(zerolog.New(zerolog.SyncWriter(h.log))), Now: h.now,
		TXT: func(_ context.Context, name string) ([]string, error) { return h.dns[name], nil }}}
	for _, open := range []func(*config.Config) error{
		h.openStore, h.makeSettings, h.makeParts, h.runEngine, h.runClerk,
	} {
		if err := open(c); err != nil {
			h.Fatal(err)
		}
	}
	testpeer.Eventually(h, patience, "a judge that has read the log", func() bool {
		_, err := h.judge.Listings()
		return err == nil
	})
}

func (h *hearing) stop() {
	h.Helper()
	if err := h.stack.unwind(context.Background()); err != nil {
		h.Error(err)
	}
	h.stack = nil
}

// recorded puts a message of testdata into the log as a parser had it that blamed a source.
func (h *hearing) recorded(name, source, to string) uint64 {
	h.Helper()
	message, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		h.Fatal(err)
	}
	r := &store.Record{Reason: "untrusted-peer", Peer: netip.MustParseAddrPort("127.0.0.1:25"),
		Helo: "backup.traps.example", MailFrom: "a@sender.example", Protocol: "ESMTP",
		Recipients: []store.Recipient{{Address: to, Kind: "pristine", State: "active", Weight: criteria.One}},
		Evidence:   store.PackEvidence(message)}
	r.Source, r.Time, r.Weight, r.Traps = netip.MustParseAddr(source), criteria.At(h.now()), criteria.One, []string{to}
	r.Digest = criteria.Digest([]byte(fmt.Sprintf("%-16s", to)))
	if err := h.store.Append(h.Context(), r); err != nil {
		h.Fatal(err)
	}
	return r.LSN
}

// await waits until an address is listed, or is not.
func (h *hearing) await(address string, listed bool) {
	h.Helper()
	testpeer.Eventually(h, patience, fmt.Sprintf("%s listed: %t", address, listed), func() bool {
		e, err := h.judge.Lookup(netip.MustParseAddr(address))
		return err == nil && e.Listed == listed
	})
}

// file files a dispute from the address itself.
func (h *hearing) file(address string) string {
	h.Helper()
	a := netip.MustParseAddr(address)
	k, err := h.clerk.File(h.Context(), dispute.Form{Address: a, Peer: a, Claim: dispute.Technical,
		Statement: "c4n4ry: that mail is not ours", Relation: "c4n4ry, administrator",
		Contact: "c4n4ry@victim.example"})
	if err != nil {
		h.Fatal(err)
	}
	return k.ID
}

func (h *hearing) awaitState(id string, reached func(dispute.Case) bool) dispute.Case {
	h.Helper()
	testpeer.Eventually(h, patience, "the dispute to go on", func() bool {
		k, ok := h.clerk.Find(id)
		return ok && reached(k)
	})
	k, _ := h.clerk.Find(id)
	return k
}

// acts are the decisions of the ledger about disputes, in short, and whose they are.
func (h *hearing) acts() string {
	var words []string
	for _, d := range h.store.Decisions(0, h.store.Mark().Decision) {
		switch {
		case d.Dispute != nil:
			words = append(words, string(d.Dispute.Step)+" by "+d.Who)
		case d.Act == criteria.ActUncount || d.Act == criteria.ActDelist:
			words = append(words, string(d.Act)+" by "+d.Who)
		}
	}
	return strings.Join(words, ", ")
}

// TestWrongParserIsUndone: a parser that took the first bracket of a line blamed the name that a
// host gives itself in HELO. Its hits are found out when the victim files a dispute, count no more at
// once, and the listing goes, with nobody deciding anything. A restart keeps all of it.
func TestWrongParserIsUndone(t *testing.T) {
	const victim = "198.51.100.66"
	h := newHearing(t)
	first := h.recorded("helo-names-victim-1.eml", victim, "one@traps.example")
	second := h.recorded("helo-names-victim-2.eml", victim, "two@traps.example")
	h.await(victim, true)
	id := h.file(victim)
	k := h.awaitState(id, func(k dispute.Case) bool { return k.State == dispute.Accepted })
	if got := fmt.Sprint(k.Reread.Read, k.Reread.Wrong); got != fmt.Sprint(2, []uint64{second, first}) {
		t.Errorf("read %s", got)
	}
	h.await(victim, false)
	const want = "opened by requester, uncount by re-reading, reread by re-reading, accepted by re-reading"
	if h.acts() != want {
		t.Errorf("the ledger has %s", h.acts())
	}
	h.stop()
	h.start()
	h.await(victim, false)
	if after, _ := h.clerk.Find(id); after.State != dispute.Accepted || len(after.Reread.Wrong) != 2 {
		t.Errorf("after a restart: %+v", after)
	}
	h.private()
}

// TestRightParserStays: with no error found the listing stays, and the clock runs.
func TestRightParserStays(t *testing.T) {
	const culprit = "203.0.113.51"
	h := newHearing(t)
	for _, to := range []string{"one@traps.example", "two@traps.example"} {
		h.recorded("helo-names-victim-1.eml", culprit, to)
	}
	h.await(culprit, true)
	id := h.file(culprit)
	k := h.awaitState(id, func(k dispute.Case) bool { p := k.Public(); return p.Reread })
	if k.State != dispute.Open || len(k.Reread.Wrong) > 0 || k.Reread.Read != 2 {
		t.Errorf("%s, %+v", k.State, k.Reread)
	}
	h.await(culprit, true)
	h.forward(dispute.AnswerWithin)
	if s := h.clerk.Standing(); s.AnswerOverdue != 1 {
		t.Errorf("two days later: %+v", s)
	}
	h.private()
}

// TestFixedTellsNoFreshHit: who mails a trap and then says that he has mended the cause gets, to
// the byte, what he got before: the answer tells nothing that is younger than the page may know.
func TestFixedTellsNoFreshHit(t *testing.T) {
	const sender = "203.0.113.51"
	h := newHearing(t)
	site, err := web.New(web.Config{Disputes: h.clerk, Settings: h.webSettings, Observer: h.options.Events,
		Now: h.now, Clean: strings.Clone, Lookup: notice.New(notice.Config{Store: h.store, Judge: h.judge,
			Now: h.now, Rules: h.noticeRules, Zone: func() notice.Zone { return notice.Zone{} },
			Published: func(netip.Addr) (uint32, bool) { return 0, false }})})
	if err != nil {
		t.Fatal(err)
	}
	h.recorded("helo-names-victim-1.eml", sender, "one@traps.example")
	h.recorded("helo-names-victim-2.eml", sender, "two@traps.example")
	h.await(sender, true)
	h.forward(70 * time.Minute)
	counted := func(n int) {
		testpeer.Eventually(t, patience, "the hits to count", func() bool {
			e, err := h.judge.Lookup(netip.MustParseAddr(sender))
			return err == nil && len(e.Terms) == n && e.At >= criteria.At(h.now())
		})
	}
	// Nothing that counts: it brings the judge's clock to where the next hit finds it.
	h.recorded("helo-names-victim-1.eml", "203.0.113.99", "one@traps.example")
	counted(2)
	answer := func() string {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/ip/"+sender+"/dispute", strings.NewReader(
			"claim=fixed&relation=mine&contact=me@corp.example"))
		r.RemoteAddr, r.Host = sender+":4711", "127.0.0.1"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		site.Handler().ServeHTTP(w, r)
		return w.Body.String()
	}
	before := answer()
	if !strings.Contains(before, "not ended early") || !strings.Contains(before, "the listing ends at") {
		t.Errorf("the answer is %s", before)
	}
	h.recorded("helo-names-victim-1.eml", sender, "three@traps.example")
	counted(3)
	if diff := cmp.Diff(before, answer()); diff != "" {
		t.Errorf("a hit changes the answer: %s", diff)
	}
}

// private holds that nothing of what the requester wrote is in the log, the ledger or a backup.
func (h *hearing) private() {
	h.Helper()
	var backup bytes.Buffer
	if _, err := h.store.Backup(h.Context(), &backup, 0); err != nil {
		h.Fatal(err)
	}
	h.stop() // nobody writes the log any more
	if !strings.Contains(backup.String(), "requester") {
		h.Error("the backup has no dispute at all")
	}
	for where, b := range map[string]*bytes.Buffer{"log": h.log, "backup": &backup} {
		if strings.Contains(b.String(), "c4n4ry") {
			h.Errorf("the %s has what the requester wrote", where)
		}
	}
}
