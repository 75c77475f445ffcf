// Package criteria decides who is listed, by published rules.
//
// In come hits (what mail did), decisions (what people ordered) and a policy
// (the numbers of the rules); out come verdicts that carry their whole sum, and
// listings with the exact second at which each begins and ends.
//
// The rules are those of the SpamCop Blocking List, made exact: see Policy for
// the numbers and Score for the order in which they apply. Ages are whole
// seconds, weights millionths, sums integers, so every machine gives the same
// verdict at the same second.
//
// There is one implementation: the tally of a source's hits at a second. Score
// runs it once over hits from anywhere; Engine runs it over the state it keeps
// of every source and knows the instant at which each verdict changes next. The
// same log of hits and decisions always gives the same listings at the same
// instants, whether it is read as it grows or years later.
//
// People may correct the past: burn a trap, change its weight, take hits out of
// the count, change the policy. That takes an engine which knows it beforehand
// and reads the log anew (Corrections, Load, Settle) beside the one that goes on
// answering, and then takes over the instants since which sources are listed
// (Standing, Adopt).
//
// The package does no I/O, has no clock and no logger, and never changes what
// it is given.
package criteria
