package localaws

import (
	"net/http"
	"strconv"
)

// deleteFunction deletes a version or, without a qualifier, the whole function with its aliases. A version that receives
// an alias's requests can't be deleted.
func (l *lambdaService) deleteFunction(name string, r *request) (reply, *apiError) {
	f, ref, err := l.findQualified(name, qualifierOf(r.URL))
	if err != nil {
		return reply{}, err
	}
	deleted := reply{status: http.StatusNoContent, header: http.Header{}}
	switch {
	case ref.qualifier == "":
		delete(l.functions, ref.name)
		l.tags.remove(l.arn(ref))
		return deleted, nil
	case ref.qualifier == latest:
		return reply{}, invalidParameter("$LATEST version cannot be deleted without deleting the function.")
	case f.version(ref.qualifier) == nil:
		return reply{}, notFound("Function not found: %s", l.arn(ref))
	}
	for _, a := range f.aliases {
		if a.Version == ref.qualifier || a.Additional == ref.qualifier {
			return reply{}, conflict("Unable to delete version because the following aliases reference it: [" + a.Name + "]")
		}
	}
	number, _ := strconv.Atoi(ref.qualifier) // it is one, as there is such a version
	delete(f.versions, number)
	delete(f.provisioned, ref.qualifier)
	return deleted, nil
}
