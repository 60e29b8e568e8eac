package x86

import (
	"strings"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Cost is what the instructions for one vector ask of a core, by a simple model
// of Intel's Golden Cove (Sapphire Rapids): the throughputs are those that
// uops.info has measured.
type Cost struct {
	alu   float64 // vector operations, on 2 ports of 512 bits or 3 of 256
	port5 float64 // of these, what only port 5 does
	div   float64 // cycles of the divider
	load  float64
	store float64
	all   float64 // operations that the front end issues, 6 a cycle
}

// Cycles returns the least number of cycles that a vector takes.
func (c Cost) Cycles(tier Tier) float64 {
	ports, loads := 3.0, 3.0
	if tier == AVX512 {
		ports, loads = 2, 2
	}
	return max(c.alu/ports, c.port5, c.div, c.load/loads, c.store, c.all/6)
}

// several are instructions of more than one operation.
var several = map[string]float64{
	"VPMULLQ": 3, "VPMULLD": 2, "VROUNDPD": 2, "VROUNDPS": 2, "VRNDSCALEPD": 2, "VRNDSCALEPS": 2, "VSCALEFPD": 2,
	"VBLENDVPD": 3, "VBLENDVPS": 3, "VPBLENDVB": 3, "VCVTPS2PD": 2, "VCVTPD2PS": 2, "VCVTPD2PSY": 2, "VCVTPS2PH": 2, "VCVTPH2PS": 2,
	"VCVTDQ2PD": 2, "VCVTTPD2DQ": 2, "VCVTTPD2DQY": 2,
	"VPMOVQD": 2, "VPMOVQW": 2, "VPMOVQB": 2, "VPMOVDW": 2, "VPMOVDB": 2, "VPMOVWB": 2, "VPTEST": 2, "VPSLLVW": 1, "VGATHERQPD": 10,
}

// divider is the cycles of 512 bits; of 256, half of them.
var divider = map[string]float64{"VDIVPD": 16, "VDIVPS": 10, "VSQRTPD": 18, "VSQRTPS": 12}

// shuffles are instructions that only port 5 does.
var shuffles = []string{"VPERM", "VPMOV", "VPACK", "VEXTRACT", "VSHUF", "VCMPP", "VPCMP", "VPTESTM", "VPBROADCAST"}

// count adds an instruction to the cost.
func (c *Cost) count(name string, ops []operand.Op) {
	base := strings.TrimSuffix(strings.TrimSuffix(name, "_BCST"), "_Z")
	c.all++
	wide, memory := false, -1
	for i, op := range ops {
		if r, ok := op.(reg.Register); ok && r.Size() == 64 {
			wide = true
		}
		if _, ok := op.(operand.Mem); ok {
			memory = i
		}
	}
	switch {
	case !strings.HasPrefix(base, "V") && !strings.HasPrefix(base, "K"):
		return // address arithmetic has ports of its own
	case memory >= 0 && memory == len(ops)-1:
		c.store++
	case memory >= 0:
		c.load++
	}
	moves := strings.HasPrefix(base, "VMOV") && base != "VMOVDQU8" || memory >= 0 && strings.HasPrefix(base, "VPBROADCAST")
	if moves {
		return
	}
	n := max(1, several[base])
	c.all += n - 1
	c.alu += n
	if d := divider[base]; d > 0 {
		if !wide {
			d /= 2
		}
		c.div += d
	}
	for _, s := range shuffles {
		if strings.HasPrefix(base, s) && (wide || !strings.HasPrefix(base, "VPCMP") && !strings.HasPrefix(base, "VCMP")) {
			c.port5++
			break
		}
	}
}
