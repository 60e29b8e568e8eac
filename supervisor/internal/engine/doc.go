// Package engine is the supervisor's side of the pool: it hands out chunks,
// keeps the ledger of what is out, collects results, and recovers from the
// deaths of workers.
//
// It is a monitor: one lock guards all state. There is no goroutine of its own;
// of those that wait for jobs, one drives: it publishes, harvests and patrols,
// so that a result crosses no goroutine on its way. What happens elsewhere, a
// death, a cancellation, a timeout, takes the lock for a moment.
//
// It trusts the shared memory for nothing: what it knows is in its private
// ledger, each shared word is loaded once, and only the transitions that the
// ledger expects are accepted. A worker that breaks a rule is killed; where the
// culprit cannot be told, all are, and what was out is handed out again.
//
// A chunk whose worker died is handed out again only after that process was
// reaped, so that no store of the dead can follow; one whose worker was killed
// and does not go away is given up. A chunk is blamed for deaths at one and the
// same place. What to do about a death is decided by pure functions
// (policy.go).
package engine
