// Package filter reads SNS's filter policies and matches messages against many of them at once
// (specs/sns.md 5).
//
//	policy text ──Parse──▶ Policy: rules, any of which may match,
//	                       each a list of conditions that all must
//	policies ───Compile──▶ Set: all conditions of all policies by path and by operator
//	message ─Attributes, Body─▶ Document ──Set.Match──▶ the policies that match
//
// A path is the names of members from the top, joined by dots, and so is what a message says: the
// policy {"a.b":["x"]} and {"a":{"b":["x"]}} are the same, and so are the messages
// {"a.b":"x"} and {"a":{"b":"x"}}.
//
// A Set looks values up instead of asking each policy: equal values in a map, prefixes and
// suffixes in maps by their length, networks in a map by their mask; ranges, wildcards and
// anything-but of a path are gone through one by one, equal ones once. Each condition that is
// met is counted for its rule. Where a message has arrays, the rules that have enough conditions
// are looked at again: all conditions below one array must be met by one element of it.
//
// # Decisions
//
// 2026-11-21: not quamina, whose patterns come from the same engine as SNS's. Of its releases the
// one that could be had, 0.2.0, knows equal values (numbers as they are written), exists,
// anything-but of strings and a wildcard; not numbers, ranges, prefixes, suffixes, networks, case
// or $or, and it takes no dots in names for levels. Later ones know more of these, still without
// ranges and $or, and merge the wildcards of all subscribers into one automaton. All that would be
// left to it is the map of equal values: the policies would need a second engine for the rest, and
// both would have to agree about arrays.
//
// 2026-11-21: keys are counted at the top level, and combinations by number of values times
// depth, as recorded; readings that count the leaves would refuse policies that the real service
// was seen to take.
//
// 2026-11-21: anything-but takes prefix, suffix and wildcard, as the current documentation has it.
// A recording of 2024 refuses suffix there. A wildcard may have three asterisks.
//
// 2026-11-22: numbers are compared by six decimals: on the real service 100.1234567 was seen to match the policy
// [100.123456789], and 100.1234561 not to (getmoto/moto pull request 6242). That is how event-ruler, the engine that
// AWS publishes, did it up to 1.7; the documentation speaks of five. What a float64 does not hold exactly, such as a
// 64-bit id, is equal only where it is written alike. Ranges go on beyond the engine's five thousand million, since
// its later versions do.
//
// 2026-11-22: attributes as the documentation has them, where that surprises: a message without any matches no policy,
// not even one of exists false; quotes and backslashes of a String are compared escaped, so that a policy escapes
// them twice; Number.Array is a list, as String.Array. A String.Array of 100 was recorded to match 100. What the
// documentation says of exists true (no null, nothing empty) is not followed in bodies: the engine takes null for there.
//
// 2026-11-22: beside event-ruler 1.2 to 2.1, on random policies and bodies. Followed where no recording shows more: $or
// and paths that are given twice, the texts of errors and their places. Not followed: networks of a single address
// (the engine refuses them, here they do no harm), texts that are the same address written differently, letters that
// change their number in the other case (ß), and what its later versions alone have.
package filter
