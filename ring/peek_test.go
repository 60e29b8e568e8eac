package ring

import "testing"

func TestPeekTellsWhatIsClaimed(t *testing.T) {
	r, err := Format(make([]byte, Size(4)), 4)
	if err != nil {
		t.Fatal(err)
	}
	want := Descriptor{Chunk: 7, Offset: 8, Count: 9, Attempt: 2}
	r.Publish(2, r.Load(2), want)
	if w, d, ok := r.Peek(2); !ok || w.State() != Ready || d != (Descriptor{}) {
		t.Errorf("published: %v, %+v, %v", w, d, ok)
	}
	if _, ok := r.NewClaimer(5, 0).Claim(); !ok {
		t.Fatal("no claim")
	}
	if w, d, ok := r.Peek(2); !ok || w.State() != Claimed || w.Incarnation() != 5 || d != want {
		t.Errorf("claimed: %v, %+v, %v", w, d, ok)
	}
}
