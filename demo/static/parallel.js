// The only script: fires twenty requests, then shows what the session has kept.
const button = document.getElementById("parallel");
const post = (path) => fetch(path, { method: "POST", redirect: "manual" });

button.addEventListener("click", async () => {
  button.disabled = true;
  document.getElementById("outcome").textContent = "Firing…";
  try {
    await post("parallel");
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    await Promise.all(numbers.map((number) => post(`parallel/${number}`)));
    const answer = await fetch("./");
    if (!answer.ok) throw new Error(`the server says ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["visits", "twenty", "trace"]) {
      document.getElementById(id).replaceWith(page.getElementById(id));
    }
  } catch (error) {
    document.getElementById("outcome").textContent = `It did not work: ${error.message}`;
  }
  button.disabled = false;
});
