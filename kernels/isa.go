package kernels

// ISA names the instruction set tier that the kernels run on: "scalar" is
// portable Go.
func ISA() string { return "scalar" }
