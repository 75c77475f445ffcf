package desk

import (
	"net/http"
	"net/netip"
	"slices"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/internal/admin"
	"github.com/trapline/trapline/internal/dispute"
)

// row is a dispute with its clock.
type row struct {
	dispute.Case
	AnswerLate, DecisionLate bool
}

func (s *Site) row(k dispute.Case) row {
	answer, decision := k.Overdue(criteria.At(s.cfg.Now()))
	return row{k, answer, decision}
}

// IsOpen tells whether the dispute waits for the operator.
func (r row) IsOpen() bool { return r.State == dispute.Open }

// docket is the page of all disputes.
type docket struct {
	All        bool // those that have ended, too
	Rows       []row
	Open, Late int
}

func (s *Site) list(w http.ResponseWriter, r *http.Request) {
	d := docket{All: r.URL.Query().Get("all") == "true"}
	cases, err := s.cfg.Disputes.Cases(admin.DisputeFilter{All: d.All})
	if err != nil {
		s.failed(w, r, err)
		return
	}
	for _, k := range cases {
		one := s.row(k)
		d.Rows = append(d.Rows, one)
		if one.IsOpen() {
			d.Open++
		}
		if one.AnswerLate || one.DecisionLate {
			d.Late++
		}
	}
	s.show(w, view{page: "list", title: "Disputes", status: http.StatusOK, data: d})
}

// mostShown is how many counted hits a page shows; the others are seen by trapline lookup.
const mostShown = 100

// hit is one that counts for the address, and whether it was chosen to count no more.
type hit struct {
	admin.Term
	Chosen bool
}

// bench is the page of one dispute, with what the operator may do about it.
type bench struct {
	row
	Public     string              // where everybody reads of it; "": not known
	List       *admin.Lookup       // nil: the list gives no answer now
	Hits       []hit               // newest first
	More       int                 // hits that are not among them
	Decides    bool                // the forms are there
	Removable  bool                // there is the proof that a removal takes
	Order      admin.DisputeOrder  // that was refused, or none
	Days       string              // of an exception, as it was written
	Refused    *admin.ProblemError // nil: nothing was
	MostReason int
}

func (s *Site) dispute(w http.ResponseWriter, r *http.Request) {
	s.showDispute(w, r, bench{}, http.StatusOK)
}

// showDispute shows a dispute; b has what was refused, if anything was.
func (s *Site) showDispute(w http.ResponseWriter, r *http.Request, b bench, status int) {
	k, err := s.cfg.Disputes.Case(r.PathValue("id"))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	set := s.cfg.Settings()
	b.row, b.MostReason = s.row(k), admin.MostReason
	b.Decides = set.Write && b.IsOpen()
	b.Removable = slices.Contains(k.Proofs, dispute.ByTXT)
	if set.Public != "" {
		b.Public = set.Public + "/dispute/" + k.ID
	}
	s.count(r, &b)
	s.show(w, view{page: "case", title: "Dispute of " + k.Subject.String(), status: status, data: b})
}

// count adds how the address is listed. A list that gives no answer keeps nobody from
// reading the rest.
func (s *Site) count(r *http.Request, b *bench) {
	l, err := s.cfg.Disputes.Lookup(b.Address)
	if err != nil {
		_ = s.problemOf(r, err) // told to the log
		return
	}
	b.List = &l
	for _, t := range l.Terms[:min(len(l.Terms), mostShown)] {
		b.Hits = append(b.Hits, hit{t, slices.Contains(b.Order.Remedy.Uncount, t.ID)})
	}
	b.More = len(l.Terms) - len(b.Hits)
}

// whoOf names the author of what is decided: here nobody has a name.
func whoOf(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "ops page"
	}
	return "ops page from " + peer.Addr().Unmap().WithZone("").String()
}
