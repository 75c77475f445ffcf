package dispute

import (
	"net/netip"
	"time"

	"github.com/trapline/trapline/criteria"
)

// Claim is what somebody says of a listing.
type Claim string

// The claims. Fixed is no dispute: listings end by themselves. It may ask for a
// removal where the operator lets whoever controls an address remove it.
const (
	Technical Claim = "technical" // the list does not work as published, or blames the wrong address
	Mail      Claim = "mail"      // the mail should not have been counted
	Fixed     Claim = "fixed"     // the cause is gone
)

// Proof is how somebody showed that an address is theirs.
type Proof string

// The proofs. Only ByTXT can remove a listing: from an address speak all who share
// it, and perhaps what sends the spam.
const (
	ByAddress Proof = "address" // the form came from it, or from its /64
	ByTXT     Proof = "txt"     // the token stood in the reverse zone
)

// State is how far a dispute has come.
type State string

// The states. All but the first two are its end.
const (
	Filed    State = "filed" // no proof yet: a form, and nothing else
	Open     State = "open"
	Accepted State = "accepted"
	Rejected State = "rejected"
	Removed  State = "removed" // by whoever controls the address
	Expired  State = "expired" // gave way to another one, or to newer ones
	Moot     State = "moot"    // the listing ended by itself
)

// The clock, RFC 6471 section 2.2: an answer within two days, seven at most.
const (
	AnswerWithin   = 2 * 24 * time.Hour
	DecisionWithin = 7 * 24 * time.Hour
)

// How long things last.
const (
	Patience = 7 * 24 * time.Hour  // a form waits for its proof
	CoolDown = 7 * 24 * time.Hour  // after a rejection, or a removal, of the same address
	Remember = 90 * 24 * time.Hour // what is private, after the end
)

// Case is one dispute with all that the operator may know.
type Case struct {
	ID      string          `json:"id"`
	State   State           `json:"state"`
	Address netip.Addr      `json:"address"` // as it was filed
	Subject criteria.Source `json:"subject"` // the address or network that is listed for it
	Claim   Claim           `json:"claim"`
	Proofs  []Proof         `json:"proofs"`

	Filed       criteria.Second `json:"filed"`
	Opened      criteria.Second `json:"opened"`       // null: not yet
	AnswerDue   criteria.Second `json:"answer_due"`   // null: answered, over, or not open yet
	DecisionDue criteria.Second `json:"decision_due"` // null: over, or not open yet
	Ended       criteria.Second `json:"ended"`        // null: not yet

	Reread *Reread `json:"reread"` // null: not yet
	Answer string  `json:"answer"` // the operator's last word before the decision
	Reason string  `json:"reason"` // of the end
	By     string  `json:"by"`     // who ended it

	Private *Private `json:"private"` // null: forgotten
}

// Reread is what came of reading the counted hits again.
type Reread struct {
	Read  int      `json:"read"`  // hits whose source could be found again
	Wrong []uint64 `json:"wrong"` // those that had another, or none: they count no more
	done  bool     // all of them were
}

// Private is what the requester wrote, for the operator alone.
type Private struct {
	Statement string       `json:"statement"`
	Relation  string       `json:"relation"`
	Contact   string       `json:"contact"`
	Network   netip.Prefix `json:"network"` // of who filed: /24, /48 or the address
}

// over tells whether the dispute has ended.
func (c *Case) over() bool { return c.State != Filed && c.State != Open }

// proven tells whether a proof was given.
func (c *Case) proven(p Proof) bool {
	for _, given := range c.Proofs {
		if given == p {
			return true
		}
	}
	return false
}

// Overdue tells what the operator is late with: the first answer, the decision.
func (c *Case) Overdue(now criteria.Second) (answer, decision bool) {
	late := func(due criteria.Second) bool { return due > 0 && due <= now }
	return late(c.AnswerDue), late(c.DecisionDue)
}

// Public is what everybody may know of a dispute. Its times are full hours: what
// was is rounded down, what is due up.
type Public struct {
	ID          string          `json:"id"`
	State       State           `json:"state"`
	Address     netip.Addr      `json:"address"`
	Subject     criteria.Source `json:"subject"`
	Claim       Claim           `json:"claim"`
	Proofs      []Proof         `json:"proofs"`
	Filed       criteria.Second `json:"filed"`
	Opened      criteria.Second `json:"opened"`       // null: not yet
	AnswerDue   criteria.Second `json:"answer_due"`   // null: answered, over, or not open yet
	DecisionDue criteria.Second `json:"decision_due"` // null: over, or not open yet
	Ended       criteria.Second `json:"ended"`        // null: not yet
	Reread      bool            `json:"reread"`       // the counted hits were read again
	Wrong       int             `json:"wrong"`        // so many of them count no more
	Answer      string          `json:"answer"`
	Reason      string          `json:"reason"` // of the end, the operator's or the program's
}

// Public leaves out of a case what is private, and who decided.
func (c *Case) Public() Public {
	p := Public{ID: c.ID, State: c.State, Address: c.Address, Subject: c.Subject, Claim: c.Claim,
		Proofs: c.Proofs, Filed: hourDown(c.Filed), Opened: hourDown(c.Opened),
		AnswerDue: hourUp(c.AnswerDue), DecisionDue: hourUp(c.DecisionDue), Ended: hourDown(c.Ended),
		Answer: c.Answer, Reason: c.Reason}
	if c.Reread != nil {
		p.Reread, p.Wrong = c.Reread.done, len(c.Reread.Wrong)
	}
	return p
}

const hour = 3600

func hourDown(s criteria.Second) criteria.Second { return s - s%hour }

func hourUp(s criteria.Second) criteria.Second { return hourDown(s + hour - 1) }
