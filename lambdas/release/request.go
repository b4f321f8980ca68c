package release

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// Limits and defaults of a request's fields. Times are in seconds.
const (
	MaxInput             = 256 << 10 // bytes: what an execution's input may have
	MaxMembers           = 1000
	DefaultCheckInterval = 60
	minCheckInterval     = 10
)

// Request is the input of a release, validated and with its defaults filled in. Durations
// are in seconds.
type Request struct {
	// Name is for people: 1 to 80 characters.
	Name string
	// Together means that all members are promoted, or all are rolled back. Otherwise
	// each ends for itself.
	Together bool
	// Waves are the members' names, in the order in which they start: a wave begins when
	// every member of the one before has the weight NextWaveAt, or is ready.
	Waves [][]string
	// NextWaveAt is a share of the traffic in (0, 1]; 0 to wait until members are ready.
	NextWaveAt float64
	// CheckInterval is the time between two checks of the release. MaxWait is how long
	// a member may be ready without a decision.
	CheckInterval, MaxWait int64
	Approval               Approval
	// MaxPause is the members'.
	MaxPause int64
	Notify   rollout.Notify
	// Members are in the order of Waves.
	Members []Member
}

// Approval lists what operators have to approve.
type Approval struct {
	// BeforeWaves are numbers of waves, from 2, that begin only when approved.
	BeforeWaves []int `json:"before-waves,omitempty"`
	// BeforePromotion withholds the promotion of all members.
	BeforePromotion bool `json:"before-promotion,omitempty"`
	// Timeout is the time to answer, after which the release is rolled back.
	Timeout int64 `json:"timeout"`
}

// Member is one of a release's rollouts.
type Member struct {
	// Name is that in the release. Wave counts from 0.
	Name string
	Wave int
	// Request is the rollout's, without its membership.
	Request rollout.Request

	fields object
}

// startedByField is a field that users of Step Functions add when one execution starts
// another, so that the console links them.
const startedByField = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"

// Member returns the member of that name; false if there is none.
func (r Request) Member(name string) (Member, bool) {
	for _, m := range r.Members {
		if m.Name == name {
			return m, true
		}
	}
	return Member{}, false
}

// The fields that a release may have; those that it shares with rollouts, which apply to all
// members; and those of rollouts that a member may not have, as its release decides on
// them.
var (
	fieldNames = []string{
		"release", "waves", "next-wave-at", "together", "check-interval", "max-wait", "approval",
		"max-pause", "windows", "freeze", "notify", "defaults", "rollouts", startedByField,
	}
	sharedNames   = []string{"max-pause", "windows", "freeze", "notify"}
	releasesOwn   = append([]string{"approval", "release", startedByField}, sharedNames...)
	approvalNames = []string{"before-waves", "before-promotion", "timeout"}
)

// Decode reads the input of a release. The error is a [*rollout.RequestError] that lists
// every problem, those of the members included.
func Decode(input []byte) (Request, error) {
	if len(input) > MaxInput {
		return Request{}, refused(rollout.Problem{Path: "$", Given: fmt.Sprintf("%d bytes", len(input)), Want: fmt.Sprintf("must have at most %d bytes: split the release", MaxInput)})
	}
	fields, ok := rollout.ReadObject(input)
	if !ok {
		return Request{}, refused(rollout.Problem{Path: "$", Given: rollout.Given(input), Want: wantRequest})
	}
	rd := &reader{fields: fields}
	r := Request{
		Name:          rd.name("release"),
		Together:      rd.boolean("together", true),
		NextWaveAt:    rd.share("next-wave-at"),
		CheckInterval: rd.integer("check-interval", minCheckInterval, 3600, DefaultCheckInterval),
		MaxWait:       rd.integer("max-wait", rollout.MinMaxWait, rollout.Year, rollout.DefaultMaxWait),
	}
	rd.members(&r)
	rd.waves(&r)
	r.Approval = rd.approval("approval", len(r.Waves))
	rd.refuseUnknown("", fields, fieldNames)
	if len(rd.problems) == 0 {
		rd.checkWhole(&r)
	}
	if len(rd.problems) > 0 {
		return Request{}, &rollout.RequestError{Problems: rd.problems}
	}
	return r, nil
}

// problem returns a problem with a value that was given.
func problem(path string, given []byte, want string) rollout.Problem {
	return rollout.Problem{Path: path, Given: rollout.Given(given), Want: want}
}

// DecodeMember reads the input of a release, which has been accepted, as if it had only the
// member of that name: of a thousand others, nothing is checked again. It returns false if
// there is no such member.
func DecodeMember(input []byte, name string) (Request, Member, bool) {
	fields, _ := rollout.ReadObject(input)
	all, _ := rollout.ReadObject(fields["rollouts"])
	one, ok := all[name]
	if !ok {
		return Request{}, Member{}, false
	}
	fields["rollouts"] = rollout.Encode(object{name: one})
	for _, of := range []string{"waves", "next-wave-at", "approval"} {
		delete(fields, of)
	}
	r, err := Decode(rollout.Encode(fields))
	if err != nil {
		return Request{}, Member{}, false
	}
	return r, r.Members[0], true
}

func refused(p rollout.Problem) error {
	return &rollout.RequestError{Problems: []rollout.Problem{p}}
}

// members reads the rollouts, each over the defaults.
func (rd *reader) members(r *Request) {
	defaults := rd.object("defaults")
	rd.refuseOwn("defaults", defaults)
	given := rd.object("rollouts")
	switch {
	case !rd.has("rollouts"):
		rd.refuse("rollouts", wantMembers)
	case given != nil && (len(given) == 0 || len(given) > MaxMembers):
		rd.add(rollout.Problem{Path: "rollouts", Given: fmt.Sprintf("%d", len(given)), Want: wantMembers})
		return
	}
	shared := object{}
	for _, name := range sharedNames {
		if value, ok := rd.fields[name]; ok {
			shared[name] = value
		}
	}
	aliases := map[[2]string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		path := "rollouts." + name
		if !rollout.MemberForm.MatchString(name) {
			rd.add(rollout.Problem{Path: "rollouts", Given: rollout.Given([]byte(name)), Want: wantMemberName})
			continue
		}
		own, ok := rollout.ReadObject(given[name])
		if !ok {
			rd.add(rollout.Problem{Path: path, Given: rollout.Given(given[name]), Want: wantObject})
			continue
		}
		rd.refuseOwn(path, own)
		m := Member{Name: name, fields: merge(merge(defaults, shared), own)}
		req, err := rollout.Decode(rollout.Encode(m.fields))
		rd.addMember(path, own, err)
		if err != nil {
			continue
		}
		if r.Together && req.ProvisionedConcurrency == rollout.Move {
			rd.add(rollout.Problem{Path: path + ".provisioned-concurrency", Given: `"move"`, Want: wantNotMoved})
		}
		at := [2]string{req.Function(), req.AliasName}
		if other, taken := aliases[at]; taken {
			rd.add(rollout.Problem{Path: path, Given: req.AliasName + " of " + req.Function(), Want: fmt.Sprintf("must be another alias than that of rollouts.%s", other)})
		}
		aliases[at] = name
		r.MaxPause, r.Notify = max(r.MaxPause, req.MaxPause), req.Notify
		delete(m.fields, "notify")
		m.Request = req
		m.Request.Notify = rollout.Notify{}
		r.Members = append(r.Members, m)
	}
}

// refuseOwn refuses fields of a rollout that are the release's.
func (rd *reader) refuseOwn(path string, fields object) {
	for _, name := range releasesOwn {
		if value, ok := fields[name]; ok {
			rd.add(rollout.Problem{Path: path + "." + name, Given: rollout.Given(value), Want: wantOfRelease(name)})
		}
	}
}

// addMember adds the problems of a member, at the paths where its fields were given: the
// release's own once for all members.
func (rd *reader) addMember(path string, own object, err error) {
	if err == nil {
		return
	}
	for _, p := range err.(*rollout.RequestError).Problems {
		field := topField(p.Path)
		_, mine := own[field]
		_, byDefault := rd.object0("defaults")[field]
		switch {
		case slices.Contains(sharedNames, field):
		case p.Path == "$":
			p.Path = path
		case mine || !byDefault:
			p.Path = path + "." + p.Path
		default:
			p.Path = "defaults." + p.Path
		}
		if !slices.Contains(rd.problems, p) {
			rd.add(p)
		}
	}
}

// waves reads the order of the members.
func (rd *reader) waves(r *Request) {
	var names []string
	for _, m := range r.Members {
		names = append(names, m.Name)
	}
	given := rd.object0("rollouts")
	r.Waves = [][]string{names}
	if rd.has("waves") {
		r.Waves = rd.lists("waves")
		seen := map[string]bool{}
		for i, wave := range r.Waves {
			for j, name := range wave {
				p := rollout.Problem{Path: fmt.Sprintf("waves[%d][%d]", i, j), Given: rollout.Given(rollout.Encode(name))}
				if _, known := given[name]; !known {
					p.Want = wantKnownMember + rollout.DidYouMean(name, names)
				} else if seen[name] {
					p.Want = "is already in a wave"
				}
				if p.Want != "" {
					rd.add(p)
				}
				seen[name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			if !seen[name] && len(r.Waves) > 0 {
				rd.add(rollout.Problem{Path: "waves", Want: fmt.Sprintf("must have every rollout: %s is in none", rollout.Given([]byte(name)))})
			}
		}
	} else if rd.has("next-wave-at") {
		rd.refuse("next-wave-at", "applies only with waves")
	}
	order := map[string]int{}
	for i, wave := range r.Waves {
		for j, name := range wave {
			order[name] = i*MaxMembers + j
		}
	}
	for i := range r.Members {
		r.Members[i].Wave = order[r.Members[i].Name] / MaxMembers
	}
	slices.SortFunc(r.Members, func(a, b Member) int { return cmp.Compare(order[a.Name], order[b.Name]) })
}

// approval reads what has to be approved.
func (rd *reader) approval(path string, waves int) Approval {
	fields := rd.object(path)
	if fields == nil {
		return Approval{}
	}
	in := &reader{fields: fields, prefix: path + "."}
	a := Approval{
		BeforePromotion: in.boolean("before-promotion", false),
		Timeout:         in.integer("timeout", 60, rollout.Year, rollout.DefaultMaxWait),
	}
	if in.has("before-waves") {
		a.BeforeWaves = in.waveNumbers("before-waves", waves)
	}
	if len(in.problems) == 0 && !a.BeforePromotion && len(a.BeforeWaves) == 0 {
		rd.add(rollout.Problem{Path: path, Given: rollout.Given(rd.fields[path]), Want: wantApproval})
	}
	if a.BeforePromotion && string(rd.fields["together"]) == "false" {
		in.refuse("before-promotion", "applies only to a release whose rollouts are promoted together")
	}
	in.refuseUnknown("", fields, approvalNames)
	rd.problems = append(rd.problems, in.problems...)
	return a
}
