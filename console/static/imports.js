// Uploading with its progress in sight. Without this file the form is sent as any other.
"use strict";
(() => {
  const form = document.querySelector("#upload");
  if (!form) return;
  const [file, sent, trouble, button] = [form.elements.file, form.querySelector("#sent"), form.querySelector("#trouble"), form.querySelector("button")];
  const say = (text) => {
    trouble.textContent = text;
    trouble.hidden = !text;
  };
  const tooLarge = () => file.files[0] && file.files[0].size > Number(form.dataset.most);
  file.addEventListener("change", () => say(tooLarge() ? "文件超过上限，请分批导出，或由维护人员用 wangxun import 导入。" : ""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (tooLarge()) return;
    say("");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (moved) => {
      sent.hidden = false;
      if (moved.lengthComputable) sent.value = (100 * moved.loaded) / moved.total;
    });
    const ended = (text) => {
      button.disabled = false;
      sent.hidden = true;
      say(text);
    };
    request.addEventListener("error", () => ended("连接中断，文件未收到；请重试。"));
    request.addEventListener("load", () => {
      if (request.status < 400) location.assign(request.responseURL);
      else {
        const page = new DOMParser().parseFromString(request.responseText, "text/html");
        ended((page.querySelector(".alert") || page.body).textContent.trim().slice(0, 200));
      }
    });
    button.disabled = true;
    request.send(new FormData(form));
  });
})();
