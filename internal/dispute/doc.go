// Package dispute hears those who say that a listing is wrong.
//
// In come forms of strangers, proofs that somebody controls an address, the
// operator's decisions and the passing of time; out go decisions for the ledger,
// and what may be shown of a dispute.
//
// A dispute is filed for a listed address and is open from its first proof on:
// the form came from the address itself (in IPv6, its /64), or a TXT record at
// `_trapline.<reverse name>` holds a token that only the dispute's page shows. What
// nobody proves is kept as a form for a week and is in no ledger, so that a
// flood of forms is bounded, leaves nothing behind, and cannot keep the owner of
// an address from disputing it. Only one dispute of a listing is open at a time:
// one that was opened from the address alone gives way to one with a TXT.
//
//	        address or TXT            the operator
//	filed ───────────────────▶ open ───────────────▶ accepted | rejected
//	  │ a week, or too many      │ the hits were read wrong: accepted
//	  ▼                          │ the listing ended by itself: moot
//	forgotten                    │ too many, or one with a TXT came: expired
//	                             ▼ TXT, where [web] self_removal allows it: removed
//
// Each step from the opening on is a decision of the ledger (criteria.Dispute),
// so that a restart finds every dispute as it was. What is private (contact,
// statement, relation, the requester's network) lies in a file of its own for
// each dispute, is for the operator alone, and is removed 90 days after the
// dispute's end. It must never stand in a ledger, a log, a public page or a backup.
//
// The package sends nothing, to nobody: who files a dispute reads the answer on
// its page.
package dispute
