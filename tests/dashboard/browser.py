"""A headless Chromium and what tests ask of it. Nothing sleeps: every wait is for something, and has a deadline."""
import base64
import pathlib
import re
import shutil

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

DEADLINE = 30.0
HERE = pathlib.Path(__file__).parent


def number(text):
    """What a figure such as 1.23 k says; None where it says nothing."""
    found = re.fullmatch(r"([\d.\u202f]+)\u202f?([kMG]?)(/s)?", text or "")
    if not found:
        return None
    return float(found[1].replace("\u202f", "")) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[found[2]]


class Browser:
    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        # Its sandbox cannot be had as root, and /dev/shm is small in containers.
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars", "--no-first-run"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(DEADLINE)
        self.driver.set_page_load_timeout(DEADLINE)

    def open(self, url, width=1440, height=900, scheme="light"):
        # What one test has chosen is not for the next.
        self.size(width, height)
        self.scheme(scheme)
        self.driver.get(url)
        self.console()

    def size(self, width, height=900):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 640}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def scheme(self, name):
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def run_file(self, name, *arguments):
        return self.run((HERE / name).read_text(), *arguments)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def texts(self, selector):
        """Of those that are shown."""
        return self.run("return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility()).map((e) => e.textContent)", selector)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def click(self, selector):
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })", element)
        element.click()

    def press(self, keys):
        self.driver.switch_to.active_element.send_keys(keys)

    def wait(self, what, condition):
        try:
            return WebDriverWait(self.driver, DEADLINE, poll_frequency=0.1).until(lambda _: condition())
        except Exception as error:
            state = self.text("#state")
            raise AssertionError(f"waited in vain: {what} (the page says {state!r})") from error

    def wait_live(self):
        self.wait("the page is live", lambda: (self.text("#state") or "").startswith("Live"))
        self.wait("rates are shown", lambda: self.text("#in-msgs") not in (None, "–"))

    def console(self):
        """What was logged since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def shot(self, path, whole=True):
        options = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            height = self.run("return document.documentElement.scrollHeight")
            width = self.run("return document.documentElement.clientWidth")
            options["clip"] = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        png = self.driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(png))

    def close(self):
        self.driver.quit()
