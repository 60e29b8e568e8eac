package wire

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
)

func TestLayoutIsPinned(t *testing.T) {
	for name, c := range map[string][2]int{
		"ControlSize(64)": {ControlSize(64), 98304 + ring.Size(64)},
		"ResultsSize(64)": {ResultsSize(64), 64 + 64*(512+16384)},
		"ProgramOffset":   {int(ProgramOffset(3)), 192},
		"Programs":        {Programs, 256},
		"MaxPayload":      {MaxPayload, 440},
		"MaxText":         {MaxText, 4096},
		"MaxLong":         {MaxLong, 16384},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d, want %d", name, c[0], c[1])
		}
	}
	control := make([]byte, ControlSize(1))
	sum, err := Program{"sum", kernels.Int32, "\x01\x02", &Target{3, 4, 5}, nil, nil, nil, nil}.Record()
	if err != nil {
		t.Fatal(err)
	}
	PutRecord(control, 1, sum)
	if got := sum.Checksum(); got != 0x93fd88e0 { // CRC-32C, computed elsewhere
		t.Errorf("checksum %#x", got)
	}
	if got, want := hex.EncodeToString(control[64:76]), "050302000100000073756d00"; got != want {
		t.Errorf("program %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(control[16384+320:16384+320+35]), "0300000000000000"+"0400000000000000"+"0500000000000000"+"0000000000000000"+"010200"; got != want {
		t.Errorf("parameters %s, want %s", got, want)
	}
	results := make([]byte, ResultsSize(2))
	PutResult(results, 1, Result{
		Word:       0x1122334455667788,
		Descriptor: ring.Descriptor{Program: 1, Mapping: 2, Task: 3, Chunk: 4, Offset: 5, Count: 6, Attempt: 7, Bell: 8},
		Status:     Faulted, Program: 9, Duration: 10, Payload: []byte("abc"),
	})
	want := "8877665544332211" + "01000000" + "02000000" + "0300000000000000" + "0400000000000000" +
		"0500000000000000" + "0600000000000000" + "07000000" + "08000000" + "0300" + "0300" + "09000000" + "0a00000000000000"
	if got := hex.EncodeToString(results[64+512 : 64+512+72]); got != want {
		t.Errorf("result\n%s, want\n%s", got, want)
	}
	if got := string(results[64+2*512+16384:][:3]); got != "abc" {
		t.Errorf("text %q", got)
	}
	beat := BeatOf(results)
	beat.Turn()
	beat.Turn()
	beat.Progress(3*ProgressStep + 5)
	if got := hex.EncodeToString(results[:8]); got != "0300000002000000" {
		t.Errorf("beat %s", got)
	}
	tally := TallyOf(results[:TallySize])
	tally.Add(5)
	tally.Add(7)
	if got := hex.EncodeToString(results[8:64]); got != strings.Repeat("00", 8)+"0200000000000000"+"0c00000000000000"+strings.Repeat("00", 32) {
		t.Errorf("tally %s", got)
	}
	if got := hex.EncodeToString(Message{Kind: Attach, Mapping: 0x01020304, Writable: true}.Encode()); got != "0207010004030201" {
		t.Errorf("message %s", got)
	}
}

func TestProgramReadsBackAndRefuses(t *testing.T) {
	control := make([]byte, ControlSize(1))
	want := Program{strings.Repeat("n", maxName), kernels.Float64, strings.Repeat("p", kernels.MaxPartial), nil, nil, nil, nil, nil}
	rec, err := want.Record()
	if err != nil {
		t.Fatal(err)
	}
	PutRecord(control, Programs-1, rec)
	if got, err := GetRecord(control, ProgramOffset(Programs-1)); err != nil || got != rec {
		t.Errorf("%x, %v", got, err)
	}
	if got, err := rec.Program(); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	want.Target = &Target{1, 1 << 40, 1 << 50}
	if rec, err = want.Record(); err != nil {
		t.Fatal(err)
	}
	PutRecord(control, 0, rec)
	again, err := GetRecord(control, 0)
	if err != nil || again != rec {
		t.Errorf("%x, %v", again, err)
	}
	if got, err := again.Program(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	want.Target, want.InPlace = nil, &InPlace{1, 2, 3, 4, 5}
	if rec, err = want.Record(); err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(rec.target[:]), "0100000002000000"+"0300000000000000"+"0400000000000000"+"0500000000000000"; got != want {
		t.Errorf("in place %s, want %s", got, want)
	}
	if got, err := rec.Program(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	want.InPlace, want.Code = nil, &Code{1, 2, 3}
	if rec, err = want.Record(); err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(rec.target[:16]), "010000000200000003000000"+"00000000"; got != want {
		t.Errorf("code %s, want %s", got, want)
	}
	if got, err := rec.Program(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	want.Code, want.Survey = nil, &Survey{Code{1, 2, 3}, 4}
	if rec, err = want.Record(); err != nil {
		t.Fatal(err)
	}
	if got, want := hex.EncodeToString(rec.target[:16]), "01000000020000000300000004000000"; got != want {
		t.Errorf("survey %s, want %s", got, want)
	}
	if got, err := rec.Program(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	rec.head[4]++
	if got, err := rec.Program(); err == nil {
		t.Errorf("a target of an unknown kind: %+v", got)
	}
	want.View = &Code{5, 6, 7}
	for _, s := range []*Survey{want.Survey, nil} {
		want.Survey = s
		if rec, err = want.Record(); err != nil {
			t.Fatal(err)
		}
		if got, want := hex.EncodeToString(rec.target[16:]), "05000000060000000700000000000000"; got != want {
			t.Errorf("view %s, want %s", got, want)
		}
		PutRecord(control, 2, rec)
		if rec, err = GetRecord(control, ProgramOffset(2)); err != nil {
			t.Fatal(err)
		}
		if got, err := rec.Program(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	rec.head[4] = target
	if got, err := rec.Program(); err == nil {
		t.Errorf("a view of what is mapped: %+v", got)
	}
	if _, err := (Program{want.Kernel + "n", kernels.Float64, "", nil, nil, nil, nil, nil}).Record(); err == nil {
		t.Error("a name that is too long was accepted")
	}
	if _, err := (Program{"n", kernels.Float64, want.Params + "p", nil, nil, nil, nil, nil}).Record(); err == nil {
		t.Error("parameters that are too long were accepted")
	}
	for _, offset := range []uint32{1, 63, paramsOffset, ringOffset, 1<<32 - 64, 1<<32 - 1} {
		if rec, err := GetRecord(control, offset); err == nil {
			t.Errorf("offset %d: %x", offset, rec)
		}
	}
	for name, bad := range map[string]Record{"no type": {}, "a name beyond the record": {head: [64]byte{byte(kernels.Float64), maxName + 1}},
		"other parameters": {head: [64]byte{byte(kernels.Float64), 1, 2}, params: "p"}} {
		if p, err := bad.Program(); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Every single bit of a program counts.
func TestChecksumNoticesEveryBit(t *testing.T) {
	rec, err := Program{"sum", kernels.Int32, "p", nil, nil, nil, nil, nil}.Record()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 65 * 8 {
		other := rec
		if i < 64*8 {
			other.head[i/8] ^= 1 << (i % 8)
		} else {
			other.params = string([]byte{'p' ^ 1<<(i%8)})
		}
		if other.Checksum() == rec.Checksum() {
			t.Errorf("bit %d", i)
		}
	}
}

func TestResultReadsBackAndRefuses(t *testing.T) {
	results := make([]byte, ResultsSize(3))
	want := Result{Word: 7, Descriptor: ring.Descriptor{Task: 8, Offset: 1 << 63, Attempt: 9}, Status: OK, Program: 10, Duration: 11, Payload: bytes.Repeat([]byte{5}, MaxPayload)}
	var buf Scratch
	long := want
	long.Payload = bytes.Repeat([]byte{6}, MaxLong+1) // cut, and lies elsewhere
	PutResult(results, 2, long)
	long.Payload = long.Payload[:MaxLong]
	if got, err := GetResult(results, 2, &buf); err != nil || !reflect.DeepEqual(got, long) {
		t.Errorf("%+v, %v", got, err)
	}
	PutResult(results, 2, want)
	got, err := GetResult(results, 2, &buf)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	results[64+2*512+72] = 99
	if got.Payload[0] != 5 {
		t.Error("the payload is not a copy")
	}
	if _, err := GetResult(results, 3, &buf); err == nil {
		t.Error("a result outside the segment was read")
	}
	text := Result{Status: Panicked, Payload: bytes.Repeat([]byte{7}, MaxText)}
	PutResult(results, 2, text)
	if got, err := GetResult(results, 2, &buf); err != nil || !reflect.DeepEqual(got, text) {
		t.Errorf("%+v, %v", got, err)
	}
	SetTimed(results)
	if !Timed(results) || results[8] != 1 || Timed(make([]byte, 64)) {
		t.Error("whether durations are wanted does not read back")
	}
	results[64+56], results[64+59] = byte(OK), 0x43 // length 17152
	if _, err := GetResult(results, 0, &buf); err == nil {
		t.Error("a payload beyond the record was accepted")
	}
}

func TestIdentityReadsBackAndRefuses(t *testing.T) {
	want := Identity{Incarnation: 17, Seat: 3, Slots: 64, Spin: true, Chunks: 9, Init: true, Tier: kernels.AVX2}
	if got, err := ParseIdentity(want.String()); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, s := range []string{"", "1", "1:2", "1:17:64", "5:2:3:64:true:4", "4:17:3:64:true:9:true:avx2", want.String() + " ", "5:17:3:64:TRUE:9:true:avx2", "5:-1:3:64:true:9:true:avx2", "5:17:x:64:true:9:true:avx2"} {
		if id, err := ParseIdentity(s); err == nil {
			t.Errorf("%q: %+v", s, id)
		}
	}
}

func TestMessageReadsBackAndRefuses(t *testing.T) {
	for _, want := range []Message{{Kind: Hello}, {Kind: Attach, Mapping: 7}, {Kind: Attach, Mapping: 8, Writable: true}, {Kind: Detach, Mapping: 1<<32 - 1}, {Kind: Begin}, {Kind: Retire}, {Kind: Profile, Millis: 1<<32 - 1}} {
		if got, err := DecodeMessage(want.Encode()); err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	good := Message{Kind: Attach, Mapping: 7}.Encode()
	for name, b := range map[string][]byte{
		"empty": nil, "short": good[:7], "long": append(good, 0),
		"kind 0": {0, 4, 0, 0, 0, 0, 0, 0}, "kind 7": {7, 4, 0, 0, 0, 0, 0, 0}, "version": {1, 3, 0, 0, 0, 0, 0, 0},
	} {
		if m, err := DecodeMessage(b); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func FuzzGetResult(f *testing.F) {
	b := make([]byte, ResultsSize(1))
	PutResult(b, 0, Result{Status: OK, Payload: []byte("x")})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var buf Scratch
		r, err := GetResult(b, 0, &buf)
		if err == nil && (len(r.Payload) > MaxLong || r.Status != OK && len(r.Payload) > MaxText) {
			t.Errorf("payload of %d bytes", len(r.Payload))
		}
	})
}
