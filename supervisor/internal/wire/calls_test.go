package wire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// answersOf returns calls and where their answers go.
func answersOf(t *testing.T, params [][]byte, size, result int) (Calls, Answers, []byte) {
	t.Helper()
	in, out := make([]byte, CallsSize(len(params), size)), make([]byte, AnswersSize(len(params), result))
	PutCalls(in, params, size, result)
	calls, err := GetCalls(in)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := AnswersTo(calls, out)
	if err != nil {
		t.Fatal(err)
	}
	return calls, answers, out
}

func TestLayoutOfCallsIsPinned(t *testing.T) {
	params := [][]byte{[]byte("abc"), []byte("def")}
	calls, answers, out := answersOf(t, params, 3, 5)
	if got, want := hex.EncodeToString(calls.b), "02000000"+"03000000"+"05000000"+"00000000"+"616263646566"; got != want {
		t.Errorf("calls %s, want %s", got, want)
	}
	answers.Put(0, OK, []byte("12345"))
	answers.Put(1, Panicked, []byte("text"))
	if got, want := hex.EncodeToString(out[:8]), "02000000"+"04000000"; got != want {
		t.Errorf("head %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(out[64:96]), "0100"+"0500"+"00000000"+"3132333435000000"+"0400"+"0400"+"00000000"+"0000000000000000"; got != want {
		t.Errorf("answers %s, want %s", got, want)
	}
	if got := string(out[96:100]); got != "text" || len(out) != 96+16384 {
		t.Errorf("text %q, %d bytes", got, len(out))
	}
}

func TestAnswersReadBackAndRefuse(t *testing.T) {
	calls, answers, out := answersOf(t, make([][]byte, 1000), 0, 8)
	if calls.Len() != 1000 || len(calls.Params(999)) != 0 {
		t.Errorf("%d calls", calls.Len())
	}
	n := 0
	for ; n < calls.Len() && answers.Room(); n++ {
		if n%2 == 0 {
			answers.Put(n, OK, bytes.Repeat([]byte{byte(n)}, 9)) // too long, and cut
		} else {
			answers.Put(n, Failed, []byte(strings.Repeat("x", MaxText+1)))
		}
	}
	if n != 8 || answers.Done() != 8 {
		t.Errorf("%d answers, %d done, want room for 4 texts", n, answers.Done())
	}
	for i := range n {
		status, payload, err := answers.Get(i)
		if i%2 == 0 && (status != OK || len(payload) != 8 || payload[0] != byte(i)) || i%2 == 1 && (status != Failed || len(payload) != MaxText) || err != nil {
			t.Errorf("answer %d: %v, %d bytes, %v", i, status, len(payload), err)
		}
	}
	for name, scribble := range map[string]func(){
		"no status":                  func() { out[64] = 0 },
		"a status beyond":            func() { out[64] = byte(Panicked) + 1 },
		"a length beyond the result": func() { out[64+2] = 9 },
		"a text beyond":              func() { out[64], out[64+4+2] = byte(Failed), 0xff },
		"a length beyond the texts":  func() { out[64], out[64+3] = byte(Failed), 0xff },
	} {
		before := bytes.Clone(out)
		scribble()
		if status, payload, err := answers.Get(0); err == nil {
			t.Errorf("%s: %v, %d bytes", name, status, len(payload))
		}
		copy(out, before)
	}
	out[3] = 0xff
	if n := answers.Done(); n != 1000 {
		t.Errorf("%d of 1000 calls are answered", n)
	}
	out[7] = 0xff
	if answers.Room() {
		t.Error("there is room in texts without end")
	}
	answers.Clear()
	if answers.Done() != 0 || !answers.Room() {
		t.Errorf("%d done after a clear", answers.Done())
	}
}

func TestCallsThatDoNotFitAreRefused(t *testing.T) {
	in := make([]byte, CallsSize(2, 8))
	for name, words := range map[string][3]byte{"too many": {3, 8, 8}, "too long": {2, 9, 8}} {
		in[0], in[4], in[8] = words[0], words[1], words[2]
		if _, err := GetCalls(in); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	in[0], in[4], in[8], in[11] = 2, 8, 8, 1
	if _, err := GetCalls(in); err == nil {
		t.Error("results of 16 MiB were taken")
	}
	if _, err := GetCalls(in[:15]); err == nil {
		t.Error("15 bytes were taken")
	}
	calls, _, out := answersOf(t, make([][]byte, 2), 8, 8)
	if _, err := AnswersTo(calls, out[:len(out)-1]); err == nil {
		t.Error("too little memory for answers was taken")
	}
	if _, err := AnswersTo(calls, append(out, make([]byte, 8)...)[1:]); err == nil {
		t.Error("memory that is not aligned was taken")
	}
}
