package main

import (
	"math"
	"testing"
)

func TestRoundedUp(t *testing.T) {
	for e, want := range map[float64]string{
		0: "0.00", 0.5: "0.50", math.Nextafter(0.5, 1): "0.51", 0.501: "0.51", 0.29: "0.29",
		1: "1.00", 1.0000001: "1.01", 12.3456: "12.35", math.Inf(1): "+Inf",
	} {
		if got := roundedUp(e); got != want {
			t.Errorf("%v: %s, want %s", e, got, want)
		}
	}
}

func TestReplaceTable(t *testing.T) {
	const before = "// Head.\n//\n" + beginMark + "\n" + endMark + "\n//\n// Tail.\npackage x\n"
	exp := entry{"exp", "float64", "1000", "0.55", "0x1p+00"}
	cos := entry{"cos", "float32", "all", "0.51", "-0x1p+03"}
	old, err := replaceTable([]byte(before), []entry{exp, cos}, func(string, string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	exp.error = "0.99"
	got, err := replaceTable(old, []entry{exp}, func(function, _ string) bool { return function != "exp" })
	if err != nil {
		t.Fatal(err)
	}
	const want = "// Head.\n//\n" + beginMark + `
//
//	function  type         points    ULP  at
//	cos       float32         all   0.51  -0x1p+03
//	exp       float64        1000   0.99  0x1p+00
//
` + endMark + "\n//\n// Tail.\npackage x\n"
	if string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if _, err := replaceTable([]byte("package x\n"), nil, nil); err == nil {
		t.Error("a file without the marks is no error")
	}
}
