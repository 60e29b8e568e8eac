package ring

// Peek returns the word of slot i and the descriptor that it is about, for whoever
// watches; false when the slot changed meanwhile. It writes nothing, so that the
// ring may lie in memory that is mapped for reading only.
func (r *Ring) Peek(i int) (Word, Descriptor, bool) {
	w := r.Load(i)
	if s := w.State(); s != Claimed && s != Doomed {
		return w, Descriptor{}, true
	}
	// Of a claimed slot nobody writes the descriptor: it is whole if the slot is
	// still claimed afterwards.
	d := r.slots[i].descriptor
	return w, d, r.Load(i) == w
}
