// Package engine is the supervisor's side of the pool: it hands out chunks,
// keeps the ledger of what is out, collects results, and recovers from the
// deaths of workers.
//
// One goroutine, the loop, owns all state; everybody else posts functions to
// it. It trusts the shared memory for nothing: what it knows is in its private
// ledger, each shared word is loaded once, and only the transitions that the
// ledger expects are accepted. A worker that breaks a rule is killed; where
// the culprit cannot be told, all are, and what was out is handed out again.
//
// A chunk whose worker died is handed out again only after that process was
// reaped, so that no store of the dead can follow. What to do about a death is
// decided by pure functions (policy.go).
package engine
