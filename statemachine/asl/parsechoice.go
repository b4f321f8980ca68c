package asl

// choice reads a Choice state's own fields.
func (p *parser) choice(f *fields) *choice {
	c := &choice{}
	for i, v := range f.list("Choices", true) {
		c.rules = append(c.rules, p.rule(elementPath(f.place("Choices"), i), v))
	}
	if name, ok := f.text("Default"); ok {
		c.otherwise = p.target(f.place("Default"), name)
	}
	return c
}

// rule reads a Choice rule with its Next.
func (p *parser) rule(at string, value any) rule {
	f := p.fields(at, "a Choice rule", value)
	defer f.done()
	f.text("Comment")
	var r rule
	if name, ok := f.needText("Next"); ok {
		r.next = p.target(f.place("Next"), name)
	}
	r.when = p.condition(f)
	return r
}

// inner reads a rule inside And, Or or Not, which has no Next.
func (p *parser) inner(at string, value any) condition {
	f := p.fields(at, "a Choice rule inside another", value)
	defer f.done()
	f.text("Comment")
	return p.condition(f)
}

// condition reads the one operator of a rule.
func (p *parser) condition(f *fields) condition {
	var found condition
	var names []string
	for _, m := range f.obj.members {
		var c condition
		key := m.key
		switch key {
		case "And", "Or":
			var parts []condition
			for i, v := range f.list(key, true) {
				parts = append(parts, p.inner(elementPath(f.place(key), i), v))
			}
			c = allOf(parts)
			if key == "Or" {
				c = anyOf(parts)
			}
		case "Not":
			v, _ := f.get(key)
			c = negation{p.inner(f.place(key), v)}
		default:
			op, ok := parseOperator(key)
			if !ok {
				continue
			}
			c = p.comparison(f, key, op)
		}
		found, names = c, append(names, key)
	}
	switch {
	case len(names) == 0:
		p.addf(f.at, "%s has no supported comparison operator", f.what)
	case len(names) > 1:
		f.atMostOne(names...)
	}
	return found
}

// comparison reads a rule's Variable and its operand, the field key.
func (p *parser) comparison(f *fields, key string, op operator) condition {
	c := comparison{operator: op}
	if _, ok := f.need("Variable"); ok {
		c.variable, _ = f.path("Variable")
	}
	if op.takesPath {
		c.path, _ = f.path(key)
		return c
	}
	c.operand, _ = f.get(key)
	if !op.accepts(c.operand) {
		wanted := op.operandType
		switch {
		case op.test == "StringMatches":
			wanted = "String"
		case op.test != "":
			wanted = "Boolean"
		}
		p.addf(f.place(key), "%s compares with a %s", key, wanted)
	}
	return c
}
