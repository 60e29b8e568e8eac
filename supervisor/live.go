package supervisor

// LiveRun is a pool of worker processes that is at work somewhere on this machine,
// as it was when it was looked at. All of it is hearsay: whoever runs the pool could
// have written anything there.
type LiveRun struct {
	PID      int    // of the supervisor
	Command  string // its command line
	Ready    int    // chunks that wait for a worker
	Restarts int    // workers that were started beyond those that live
	Files    []string
	Workers  []LiveWorker
}

// LiveWorker is a worker process of a LiveRun.
type LiveWorker struct {
	PID           int
	Incarnation   uint32
	State         string // idle, working or stopped
	Chunk         uint64 // that it works on
	Attempt       uint32 // at the chunk, from 1; 0: it works on none
	Chunks, Bytes uint64 // that it has done
	Faults        uint64 // page faults that it has taken
}
