-- error | policy select_own on app.todos | a policy is for PUBLIC
alter policy select_own on app.todos to public;
