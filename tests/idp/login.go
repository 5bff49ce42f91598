package main

import (
	"context"
	"html/template"
	"net/http"
)

// login is the page where people say who they are. Nobody stays signed in: each authorization asks for the password.
type login struct {
	storage *storage
	// done is where the browser goes on, for the authorization with this id.
	done func(ctx context.Context, id string) string
}

var page = template.Must(template.New("login").Parse(`<!DOCTYPE html>
<html lang="en">
<title>Sign in</title>
{{with .Problem}}<p role="alert">{{.}}</p>{{end}}
<form method="post" action="/login">
<input type="hidden" name="id" value="{{.ID}}">
<label>Name <input name="username" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Sign in</button>
</form>
</html>
`))

type shown struct{ ID, Problem string }

func (l login) show(w http.ResponseWriter, r *http.Request) {
	render(w, http.StatusOK, shown{ID: r.FormValue("id")})
}

func (l login) check(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	if err := l.storage.signIn(id, r.FormValue("username"), r.FormValue("password")); err != nil {
		render(w, http.StatusUnauthorized, shown{id, err.Error()})
		return
	}
	http.Redirect(w, r, l.done(r.Context(), id), http.StatusSeeOther)
}

func render(w http.ResponseWriter, status int, data shown) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = page.Execute(w, data) // who asked may have left
}
