package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// said says what an action did, by the key in the address that it leads to.
var said = map[string]string{
	"started":  "The execution was started.",
	"halted":   "The release’s execution was stopped. Within minutes another one, whose name begins with conclude-, ends the release.",
	"stopped":  "The execution was stopped. The alias is put back by the cleanup if it needs to be.",
	"redriven": "The execution was redriven.",
	"advanced": "Time was moved on.",
}

// ordered is said's key of an order, before its command.
const ordered = "ordered-"

// whatWasDone returns what an action did, in words; "" for an unknown key.
func whatWasDone(key string) string {
	command, ok := strings.CutPrefix(key, ordered)
	if ok && slices.Contains(rollout.Commands(), rollout.Command(command)) {
		return "The order " + command + " was given. The next check reads it."
	}
	return said[key]
}

// act carries out a form and leads to the page that shows the effect.
func (c *console) act(w http.ResponseWriter, r *http.Request, do func(*http.Request) (string, error)) {
	if err := r.ParseForm(); err != nil {
		c.write(w, r, failed(formError("The form can't be read: "+err.Error())))
		return
	}
	target, err := do(r)
	if err != nil {
		c.write(w, r, failed(err))
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// afterwards returns the address of an execution's page that says what was done.
func (c *console) afterwards(k *kind, name, did string) string {
	return c.Prefix + k.Page + "?" + url.Values{"name": {name}, "did": {did}}.Encode()
}

// stop stops an execution.
func (c *console) stop(r *http.Request) (string, error) {
	name := r.PostFormValue("name")
	in := &sfn.StopExecutionInput{ExecutionArn: aws.String(c.executionARN(name))}
	if cause := strings.TrimSpace(r.PostFormValue("cause")); cause != "" {
		in.Cause = &cause
	}
	_, err := c.executions.StopExecution(r.Context(), in)
	return c.afterwards(c.rollouts, name, "stopped"), err
}

// redrive restarts an execution that ended badly.
func (c *console) redrive(r *http.Request) (string, error) {
	name := r.PostFormValue("name")
	_, err := c.executions.RedriveExecution(r.Context(), &sfn.RedriveExecutionInput{ExecutionArn: aws.String(c.executionARN(name))})
	return c.afterwards(c.rollouts, name, "redriven"), err
}

// command is an order that the page offers.
type command struct{ Value, Words string }

// Commands returns the orders that can be given, those that answer first if the rollout
// waits for an approval or is paused.
func (v *executionPage) Commands() []command {
	all := []command{
		{string(rollout.AdvanceNow), "Advance to the next step"}, {string(rollout.PromoteNow), "Promote now"}, {string(rollout.RollBackNow), "Roll back"},
		{string(rollout.PauseNow), "Pause"},
	}
	if v.Rollout != nil && v.Rollout.Paused {
		all[len(all)-1] = command{string(rollout.ResumeNow), "Resume"}
	}
	if v.Rollout != nil && v.Rollout.Waits {
		all = append([]command{{string(rollout.Approve), "Approve"}, {string(rollout.Disapprove), "Refuse"}}, all...)
	}
	return all
}

// order gives an order to the rollout that an execution belongs to.
func (c *console) order(r *http.Request) (string, error) {
	name, owner, value := r.PostFormValue("name"), r.PostFormValue("owner"), r.PostFormValue("command")
	if !slices.Contains(rollout.Commands(), rollout.Command(value)) {
		return "", formError("There is no such order.")
	}
	if _, err := c.described(r.Context(), name); err != nil {
		return "", err
	}
	if owner == "" {
		owner = name
	}
	return c.afterwards(c.rollouts, name, ordered+value), c.give(r.Context(), rollout.ControlParameter(owner), value)
}

// give writes an order to a parameter.
func (c *console) give(ctx context.Context, parameter, value string) error {
	_, err := c.parameters.PutParameter(ctx, &ssm.PutParameterInput{
		Name: &parameter, Value: &value, Type: ssmtypes.ParameterTypeString, Overwrite: aws.Bool(true),
	})
	return err
}

// advances are by how much time can be moved on.
var advances = []string{"1m", "10m", "1h", "24h"}

// advance moves virtual time on.
func (c *console) advance(r *http.Request) (string, error) {
	by := r.PostFormValue("by")
	if c.Advance == nil || !slices.Contains(advances, by) {
		return "", formError("Time can't be moved on by that.")
	}
	d, err := time.ParseDuration(by)
	if err != nil {
		return "", err
	}
	c.Advance(d)
	back, err := url.Parse(r.PostFormValue("back"))
	if err != nil || back.Scheme != "" || back.Host != "" || !strings.HasPrefix(back.Path, c.Prefix) || strings.HasPrefix(back.Path, "//") || strings.ContainsAny(back.Path, `\`) {
		back = &url.URL{Path: c.Prefix}
	}
	query := back.Query()
	query.Set("did", "advanced")
	back.RawQuery, back.Fragment = query.Encode(), ""
	return back.String(), nil
}

// notificationsPage is the content of the page about all notifications.
type notificationsPage struct {
	Known bool
	Rows  []sent
	Total int
}

// sent is a notification with its number, from 1, the oldest first.
type sent struct {
	Number int
	Notification
}

// newest returns the last of the notifications that belong, the newest first.
func newest(all []Notification, most int, belongs func(Notification) bool) []sent {
	var rows []sent
	for i, n := range slices.Backward(all) {
		if len(rows) < most && belongs(n) {
			n.Message = newDocument(n.Message).Text
			rows = append(rows, sent{i + 1, n})
		}
	}
	return rows
}

// about returns the notifications that name an execution; false if they are not known.
func (c *console) about(arn string) ([]sent, bool) {
	if c.Notifications == nil {
		return nil, false
	}
	return newest(c.Notifications(), listedEvents, func(n Notification) bool {
		_, rest, found := strings.Cut(n.Message, arn)
		next, _ := utf8.DecodeRuneInString(rest)
		return found && (rest == "" || !unicode.IsLetter(next) && !unicode.IsDigit(next) && next != '-' && next != '_') // the name goes on there
	}), true
}

// notifications answers with the newest notifications.
func (c *console) notifications(*http.Request) (*page, error) {
	data := notificationsPage{Known: c.Notifications != nil}
	if data.Known {
		all := c.Notifications()
		data.Total = len(all)
		data.Rows = newest(all, 100, func(Notification) bool { return true })
	}
	return &page{name: "notifications", Title: "Notifications", Every: 2, Data: data}, nil
}
