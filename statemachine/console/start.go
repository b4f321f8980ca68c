package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/lambda-rollout/lambda-rollout/lambdas/rollout"
)

// startPage is the content of the page that starts an execution.
type startPage struct {
	Kind     *kind
	Name     string
	Fields   []fieldView
	JSON     string
	AsJSON   bool // the input is given as JSON
	Problems []problem
}

// fieldView is a field with its value and what is wrong with it.
type fieldView struct {
	*field
	Value, Wrong string
	Fields       []fieldView
	Open         bool // a group has values or problems
}

// problem is something wrong with the form; ID is the field's, if it is one's.
type problem struct{ ID, Text string }

// view returns the fields with their values and problems.
func view(fields []*field, values, wrong map[string]string) []fieldView {
	var all []fieldView
	for _, f := range fields {
		v := fieldView{field: f, Value: values[f.Path], Wrong: wrong[f.Path]}
		v.Fields = view(f.Fields, values, wrong)
		v.Open = v.Wrong != ""
		for _, inner := range v.Fields {
			v.Open = v.Open || inner.Value != "" || inner.Wrong != "" || inner.Open
		}
		all = append(all, v)
	}
	return all
}

// startForm answers with the form, filled in as an earlier execution's input was.
func (c *console) startForm(r *http.Request, k *kind) (*page, error) {
	var filled map[string]string
	text := ""
	if from := r.URL.Query().Get("from"); from != "" {
		out, err := c.describedOf(r.Context(), k, from)
		if err != nil {
			return nil, err
		}
		text = newDocument(aws.ToString(out.Input)).Text
		filled = values(k.form, []byte(aws.ToString(out.Input)))
	}
	return &page{name: "start", Title: "Start a " + k.Noun, Data: startPage{Kind: k, Fields: view(k.form, filled, nil), JSON: text}}, nil
}

// start starts an execution of a kind, or shows the form again with what is wrong.
func (c *console) start(w http.ResponseWriter, r *http.Request, k *kind) {
	if err := r.ParseForm(); err != nil {
		c.write(w, r, failed(formError("The form can't be read: "+err.Error())))
		return
	}
	data := startPage{Kind: k, Name: strings.TrimSpace(r.PostFormValue("name")), JSON: r.PostFormValue("json"), AsJSON: r.PostForm.Has("json")}
	text, wrong := data.JSON, map[string]string{}
	filled := map[string]string{}
	if data.AsJSON {
		if !json.Valid([]byte(text)) {
			data.Problems = append(data.Problems, problem{"json", "The input is not JSON."})
		}
	} else {
		leaves(k.form, func(f *field) { filled[f.Path] = r.PostFormValue(f.Path) })
		text, wrong, data.Problems = k.judged(filled)
	}
	if len(data.Problems) == 0 {
		in := &sfn.StartExecutionInput{StateMachineArn: &k.machine, Input: &text}
		if data.Name != "" {
			in.Name = &data.Name
		}
		out, err := c.executions.StartExecution(r.Context(), in)
		if err == nil {
			arn := aws.ToString(out.ExecutionArn)
			http.Redirect(w, r, c.afterwards(k, arn[strings.LastIndex(arn, ":")+1:], "started"), http.StatusSeeOther)
			return
		}
		data.Problems = append(data.Problems, problem{"", words(err)})
	}
	data.Fields = view(k.form, filled, wrong)
	c.write(w, r, &page{name: "start", status: http.StatusUnprocessableEntity, Title: "Not started: start a " + k.Noun, Data: data})
}

// judged returns the input that the form's values make, and what is wrong with it, by
// field and as a list.
func (k *kind) judged(filled map[string]string) (text string, wrong map[string]string, problems []problem) {
	object, wrong := input(k.form, func(path string) string { return filled[path] })
	data, err := json.Marshal(object)
	if err != nil {
		return "", wrong, []problem{{"", err.Error()}}
	}
	ids := map[string]string{}
	leaves(k.form, func(f *field) { ids[f.Path] = f.ID })
	leaves(k.form, func(f *field) {
		if why, ok := wrong[f.Path]; ok {
			problems = append(problems, problem{f.ID, f.Path + " " + why})
		}
	})
	var refused *rollout.RequestError
	if len(problems) == 0 && errors.As(k.decode(data), &refused) {
		for _, p := range refused.Problems {
			path, _, _ := strings.Cut(p.Path, "[")
			for ids[path] == "" && strings.Contains(path, ".") {
				path = path[:strings.LastIndex(path, ".")]
			}
			wrong[path] = strings.TrimPrefix(p.Error(), p.Path+" ")
			problems = append(problems, problem{ids[path], p.Error()})
		}
	}
	return string(data), wrong, problems
}
